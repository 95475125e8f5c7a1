//! What is signed, as text: `header.payload.signature` (RFC 7515), read before anybody is believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::key::Key;
use crate::{Algorithm, Refusal, json};

/// The most bytes a token may have.
pub(crate) const LARGEST: usize = 8 << 10;
/// The most bytes of a key's id.
pub(crate) const LONGEST_ID: usize = 256;

/// Members of a header that change what the rest means, or bring a key along. RFC 7515 lets a reader ignore some of them; nobody who
/// signs for us has a reason to send one.
const REFUSED: [&str; 9] = ["crit", "b64", "jwk", "jku", "x5u", "cty", "enc", "zip", "p2c"];

/// A token of which nothing is known to be true.
pub(crate) struct Signed<'a> {
    pub(crate) header: Header,
    /// What the payload is in base64url.
    payload: &'a str,
    /// What is signed.
    message: &'a str,
    signature: &'a str,
}

/// What of its header is used.
pub(crate) struct Header {
    algorithm: String,
    pub(crate) key: Option<String>,
    kind: Option<String>,
}

impl<'a> Signed<'a> {
    /// # Errors
    /// Whatever is no token, or one that asks for what is not done here.
    pub(crate) fn read(token: &'a str) -> Result<Self, Refusal> {
        if token.len() > LARGEST {
            return Err(Refusal::TooLarge);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Refusal::Malformed)?;
        if header.is_empty() || signature.is_empty() || payload.contains('.') {
            return Err(Refusal::Malformed);
        }
        let header = json::object(&decoded(header)?).ok_or(Refusal::Malformed)?;
        Ok(Self { header: Header::of(&header)?, payload, message, signature })
    }

    /// What is claimed, which [`Signed::holds`] has to say something of before it is believed.
    pub(crate) fn payload(&self) -> Result<Vec<u8>, Refusal> {
        decoded(self.payload)
    }

    /// Whether this key has signed it, by the algorithm that the key is for.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn holds(&self, key: &Key) -> Result<(), Refusal> {
        if Algorithm::named(&self.header.algorithm) != Some(key.algorithm()) {
            return Err(Refusal::Algorithm);
        }
        // So that no other text than the one that was made is the same token.
        decoded(self.signature)?;
        if key.verifies(self.message, self.signature) { Ok(()) } else { Err(Refusal::Signature) }
    }
}

impl Header {
    fn of(members: &Map<String, Value>) -> Result<Self, Refusal> {
        if REFUSED.iter().any(|name| members.contains_key(*name)) {
            return Err(Refusal::Header);
        }
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= LONGEST_ID => Ok(Some(text.clone())),
            Some(_) => Err(Refusal::Malformed),
        };
        let algorithm = text("alg")?.ok_or(Refusal::Malformed)?;
        Ok(Self { algorithm, key: text("kid")?, kind: text("typ")? })
    }

    /// Whether it says that the token is of this kind; how it is written is as for media types.
    pub(crate) fn is(&self, kind: &str) -> bool {
        const PREFIX: &str = "application/";
        let Some(said) = &self.kind else { return false };
        let bare = match said.get(..PREFIX.len()) {
            Some(start) if start.eq_ignore_ascii_case(PREFIX) => &said[PREFIX.len()..],
            _ => said,
        };
        bare.eq_ignore_ascii_case(kind)
    }
}

/// A token of this kind, signed by what `sign` makes of its text.
///
/// # Errors
/// Those of `sign`.
pub(crate) fn signed<E>(
    algorithm: Algorithm,
    key: Option<&str>,
    kind: &str,
    claims: &Map<String, Value>,
    sign: impl FnOnce(&str) -> Result<String, E>,
) -> Result<String, E> {
    let mut header = json!({ "alg": algorithm.name(), "typ": kind });
    if let Some(key) = key {
        header["kid"] = key.into();
    }
    let mut token = encoded(header.to_string());
    token.push('.');
    token.push_str(&encoded(json!(claims).to_string()));
    let signature = sign(&token)?;
    token.push('.');
    token.push_str(&signature);
    Ok(token)
}

pub(crate) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decoded(text: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Malformed)
}
