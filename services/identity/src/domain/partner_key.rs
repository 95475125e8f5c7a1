//! A key by which a partner's programs call, from when it is made until it is revoked, as far as its events tell. What it is worth is
//! in its row alone.

use std::collections::BTreeSet;

use contracts::CONTRACT;
use contracts::tradewind::identity::v1::{PartnerKeyCreated, PartnerKeyRevoked};
use tradewind_domain::{Aggregate, DomainError, ErrorKind};

/// The most keys that a partner has.
pub const MOST: usize = 16;
/// What begins the customer that a partner is; no issuer outside can have it before its own.
const CUSTOMERS: &str = "partner";
/// Whose methods no key is for: an account is its owner's.
const ACCOUNTS: &str = "identity.";
/// The most bytes of a partner's id.
const LONGEST: usize = 32;

tradewind_domain::events! {
    /// What can happen to a key.
    pub enum Event {
        Created(PartnerKeyCreated),
        Revoked(PartnerKeyRevoked),
    }
}

/// What can be asked of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Makes it as this says.
    Create(PartnerKeyCreated),
    /// Makes it good for nothing, as this account wants it, or an operator.
    Revoke(String),
}

/// Why a key can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no such key, or it was revoked.
    #[error("there is no key with this id")]
    NotFound,
    /// There is one.
    #[error("there is a key with this id already")]
    Exists,
}

impl DomainError for KeyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::NotFound,
            Self::Exists => ErrorKind::AlreadyExists,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "KEY_NOT_FOUND",
            Self::Exists => "KEY_EXISTS",
        }
    }
}

/// A key; `Default` is one that was never made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartnerKey {
    key_id: String,
    partner_id: String,
    revoked: bool,
}

impl Aggregate for PartnerKey {
    const NAME: &'static str = "partner_key";
    type Command = Command;
    type Event = Event;
    type Error = KeyError;

    fn decide(&self, command: Command) -> Result<Vec<Event>, KeyError> {
        match command {
            Command::Create(_) if !self.key_id.is_empty() => Err(KeyError::Exists),
            Command::Create(created) => Ok(vec![created.into()]),
            Command::Revoke(_) if self.key_id.is_empty() || self.revoked => Err(KeyError::NotFound),
            Command::Revoke(revoked_by) => {
                let (key_id, partner_id) = (self.key_id.clone(), self.partner_id.clone());
                Ok(vec![PartnerKeyRevoked { key_id, partner_id, revoked_by }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &Event) {
        match event {
            Event::Created(created) => {
                self.key_id.clone_from(&created.key_id);
                self.partner_id.clone_from(&created.partner_id);
            }
            Event::Revoked(_) => self.revoked = true,
        }
    }
}

/// Everything that a key can be for: what the contract has for customers, but for their accounts.
#[must_use]
pub fn scopes() -> BTreeSet<&'static str> {
    let all = CONTRACT.methods.iter().filter_map(|method| method.scope);
    all.filter(|scope| !scope.starts_with(ACCOUNTS)).collect()
}

/// Tells whether a partner can be called that.
#[must_use]
pub fn is_partner_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_plain)
}

/// The customer that a partner is.
#[must_use]
pub fn customer_of(partner_id: &str) -> String {
    format!("{CUSTOMERS}:{partner_id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_testing::scenario::given;

    fn created() -> PartnerKeyCreated {
        let scopes = vec!["ordering.read".to_owned()];
        PartnerKeyCreated { key_id: "k-1".to_owned(), partner_id: "acme".to_owned(), scopes, ..Default::default() }
    }

    fn revoked() -> PartnerKeyRevoked {
        let (key_id, partner_id, revoked_by) = ("k-1".to_owned(), "acme".to_owned(), "c-1".to_owned());
        PartnerKeyRevoked { key_id, partner_id, revoked_by }
    }

    #[test]
    fn is_made_once_and_revoked_once() {
        let revoke = || Command::Revoke("c-1".to_owned());
        given::<PartnerKey>([]).when(revoke()).then_refused("KEY_NOT_FOUND");
        given::<PartnerKey>([])
            .when(Command::Create(created()))
            .then([created().into()])
            .when(Command::Create(created()))
            .then_refused("KEY_EXISTS");
        given::<PartnerKey>([created().into()]).when(revoke()).then([revoked().into()]);
        given::<PartnerKey>([created().into(), revoked().into()]).when(revoke()).then_refused("KEY_NOT_FOUND");
    }

    #[test]
    fn keys_are_for_what_customers_do_and_for_nobodys_account() {
        let scopes = scopes();
        assert!(scopes.contains("ordering.read") && scopes.contains("ordering.write"), "{scopes:?}");
        assert!(scopes.iter().all(|scope| !scope.starts_with("identity")), "{scopes:?}");
    }

    #[test]
    fn partners_have_plain_ids_and_are_customers_of_their_own() {
        assert!(is_partner_id("acme-2") && is_partner_id(&"a".repeat(32)));
        for odd in ["", "Acme", "a b", "a:b", "ä", &"a".repeat(33)] {
            assert!(!is_partner_id(odd), "{odd}");
        }
        assert_eq!(customer_of("acme"), "partner:acme");
    }

    #[test]
    fn what_releases_have_written_is_folded() {
        let golden = include_str!("../../../../released/golden.txt");
        assert!(tradewind_testing::fold_released::<PartnerKey>(golden) > 0);
    }
}
