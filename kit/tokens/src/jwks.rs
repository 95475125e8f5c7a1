use std::collections::BTreeMap;

use serde_json::Value;

use crate::json;
use crate::key::Key;
use crate::signed::LONGEST_ID;

/// Bytes of a key set, at most.
const LARGEST: usize = 256 << 10;
/// Keys in it, at most.
const MOST: usize = 64;

/// The public keys of an issuer, by id (RFC 7517). None of them by default.
#[derive(Clone, Debug, Default)]
pub struct Jwks {
    keys: BTreeMap<String, Key>,
    /// One that has no id.
    nameless: Vec<Key>,
}

/// Why a text is no key set that could be used in place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// It has more than 256 KiB.
    #[error("the key set has more than 256 KiB")]
    TooLarge,
    /// It is not a JSON object with a list of keys.
    #[error("the key set is not JSON with a member `keys`")]
    Malformed,
    /// It has more than 64 keys.
    #[error("the key set has more than 64 keys")]
    TooMany,
    /// It has none that can be used.
    #[error("the key set has no key to verify with")]
    Empty,
}

impl Jwks {
    /// Reads a key set. Keys of other kinds, for other uses, and such as nobody should use are passed over: private and shared ones,
    /// RSA below 2048 bits, two under one id.
    ///
    /// # Errors
    /// A text that holds no key at all that can be used: whoever has keys of before should stay with them.
    pub fn parse(text: &[u8]) -> Result<Self, JwksError> {
        if text.len() > LARGEST {
            return Err(JwksError::TooLarge);
        }
        let set = json::object(text).ok_or(JwksError::Malformed)?;
        let Some(Value::Array(all)) = set.get("keys") else { return Err(JwksError::Malformed) };
        if all.len() > MOST {
            return Err(JwksError::TooMany);
        }
        let mut found = BTreeMap::<_, Vec<_>>::new();
        for jwk in all.iter().filter_map(Value::as_object) {
            let Some(key) = Key::of_jwk(jwk) else { continue };
            let id = match jwk.get("kid") {
                None => None,
                Some(Value::String(id)) if !id.is_empty() && id.len() <= LONGEST_ID => Some(id.clone()),
                Some(_) => continue,
            };
            found.entry(id).or_default().push((key, jwk));
        }
        let mut read = Self::default();
        for (id, mut keys) in found {
            keys.dedup_by(|(_, one), (_, other)| one == other);
            match (id, keys.len()) {
                (Some(id), 1) => read.keys.extend(keys.into_iter().map(|(key, _)| (id.clone(), key))),
                (Some(_), _) => {}
                (None, _) => read.nameless.extend(keys.into_iter().map(|(key, _)| key)),
            }
        }
        if read.is_empty() { Err(JwksError::Empty) } else { Ok(read) }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.nameless.is_empty()
    }

    /// The key of that id; of a token that names none, the only one there is.
    pub(crate) fn find(&self, id: Option<&str>) -> Option<&Key> {
        match id {
            Some(id) => self.keys.get(id),
            None if self.keys.len() + self.nameless.len() == 1 => self.keys.values().chain(&self.nameless).next(),
            None => None,
        }
    }
}
