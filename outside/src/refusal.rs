//! Why a request was refused. Knows nothing of HTTP; `http` gives each kind its status.

use std::borrow::Cow;

use serde::Serialize;
use sha2::{Digest, Sha256};

/// The kinds of refusal a caller can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Invalid,
    TooLarge,
    NotFound,
    MethodNotAllowed,
    Conflict,
    Unavailable,
}

/// A refusal with a stable reason; its text names fields but never repeats tokens, names or addresses.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Refusal {
    #[serde(skip)]
    pub(crate) kind: Kind,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
}

impl Refusal {
    pub(crate) fn new(kind: Kind, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind, reason, message: message.into(), field: None }
    }

    /// A field whose value cannot be taken.
    pub(crate) fn field(field: impl Into<String>, reason: &'static str, message: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(Kind::Invalid, reason, message) }
    }

    pub(crate) fn conflict(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, reason, message)
    }

    pub(crate) fn not_found(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, reason, message)
    }

    pub(crate) fn unavailable(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, reason, message)
    }

    pub(crate) fn key_reused() -> Self {
        let message = "this key was used before with another content";
        Self { field: Some("key".into()), ..Self::conflict("KEY_REUSED", message) }
    }
}

/// A request that can say whether its values are acceptable.
pub(crate) trait Checked {
    fn check(&self) -> Result<(), Refusal>;
}

/// The longest key, id, name or address line that is taken, in characters.
const LONGEST: usize = 200;

/// Accepts 1 to 200 characters without control characters.
pub(crate) fn check_text(field: &str, text: &str) -> Result<(), Refusal> {
    check_text_up_to(LONGEST, field, text)
}

/// Accepts 1 to `most` characters without control characters.
pub(crate) fn check_text_up_to(most: usize, field: &str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::field(field, "MISSING_FIELD", format!("{field} must not be empty")));
    }
    if text.chars().count() > most {
        return Err(Refusal::field(field, "TOO_LONG", format!("{field} has more than {most} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(Refusal::field(field, "INVALID_FIELD", format!("{field} contains control characters")));
    }
    Ok(())
}

/// Five million bytes of a reason that nobody can use.
pub(crate) fn verbose() -> Cow<'static, str> {
    "the card of A. Customer, \u{1f4b3} 4111 1111 1111 1111, is \"no good\"; ".repeat(78_125).into()
}

/// Accepts a positive amount in a currency of three capital letters.
pub(crate) fn check_money(amount_minor: i64, currency: &str) -> Result<(), Refusal> {
    if amount_minor <= 0 {
        let message = "amount_minor must be greater than 0";
        return Err(Refusal::field("amount_minor", "AMOUNT_NOT_POSITIVE", message));
    }
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        let message = "currency must be an ISO 4217 code: three capital letters";
        return Err(Refusal::field("currency", "INVALID_CURRENCY", message));
    }
    Ok(())
}

/// The digest by which a repeated request is recognised, so that its content need not be kept.
pub(crate) fn digest(request: &impl Serialize) -> Result<String, Refusal> {
    let bytes =
        serde_json::to_vec(request).map_err(|error| Refusal::new(Kind::Invalid, "INVALID_FIELD", error.to_string()))?;
    let hash = Sha256::digest(&bytes);
    Ok(hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}
