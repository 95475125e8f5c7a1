//! How private keys lie in the database: sealed by a key that does not, so that whoever reads a backup has nothing to sign with.
//!
//! AES-256-GCM. Each sealed text names the key that seals it and is bound to what it is of, so that none can be put in another's place.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tradewind_domain::{Error, Sensitive};

use crate::secrets;

/// What begins a sealed text; what it seals never does.
const SEALED: &str = "sealed.";
/// The most keys.
const MOST: usize = 8;

/// The keys that seal. Without any, nothing is sealed.
#[derive(Clone, Default)]
pub struct Seals(Vec<Arc<Seal>>);

struct Seal {
    /// The beginning of its SHA-256.
    name: String,
    key: LessSafeKey,
}

impl Seals {
    /// Reads keys of 32 bytes in base64, with space or lines between. The first of them seals; the others open what they have sealed.
    /// Without any, nothing is sealed.
    ///
    /// # Errors
    /// Text that is none, without a word of what it says.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut seals = Self::default();
        for word in text.split_whitespace() {
            let bytes = STANDARD.decode(word).ok().filter(|bytes| bytes.len() == AES_256_GCM.key_len());
            let key = bytes.as_ref().and_then(|bytes| UnboundKey::new(&AES_256_GCM, bytes).ok());
            let key = key.ok_or("each word must be a key of 32 bytes in base64")?;
            let name = secrets::hash(word).chars().take(11).collect();
            seals.0.push(Arc::new(Seal { name, key: LessSafeKey::new(key) }));
        }
        if seals.0.len() <= MOST { Ok(seals) } else { Err(format!("must be {MOST} keys at most")) }
    }

    /// Seals a text that is of `what`; as it is, where nothing is sealed.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(crate) fn seal(&self, text: &Sensitive<String>, what: &str) -> Result<String, Error> {
        let Some(seal) = self.0.first() else { return Ok(text.expose().clone()) };
        let nonce: [u8; NONCE_LEN] = secrets::random()?;
        let mut sealed = text.expose().clone().into_bytes();
        let done = seal.key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(what.as_bytes()),
            &mut sealed,
        );
        done.map_err(|_| Error::internal("a text cannot be sealed"))?;
        let sealed = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
        Ok(format!("{SEALED}{}.{sealed}", seal.name))
    }

    /// What was sealed of `what`, or lies there as it is.
    ///
    /// # Errors
    /// When it was sealed by another key, or is not what was sealed.
    pub(crate) fn open(&self, kept: &str, what: &str) -> Result<Sensitive<String>, Error> {
        let Some((name, sealed)) = named(kept) else { return Ok(kept.to_owned().into()) };
        let seal = self.0.iter().find(|seal| seal.name == name);
        let seal =
            seal.ok_or_else(|| Error::internal(format!("what was sealed by the key {name} cannot be opened")))?;
        let spoilt = || Error::internal(format!("what was sealed by the key {name} is not what it was"));
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| spoilt())?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN).ok_or_else(spoilt)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| spoilt())?;
        let opened = seal.key.open_in_place(nonce, Aad::from(what.as_bytes()), sealed).map_err(|_| spoilt())?;
        Ok(String::from_utf8(opened.to_vec()).map_err(|_| spoilt())?.into())
    }

    /// Whether it lies as it would be sealed now.
    pub(crate) fn holds(&self, kept: &str) -> bool {
        self.0.first().map(|seal| seal.name.as_str()) == named(kept).map(|(name, _)| name)
    }

    /// Whether anything is sealed.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn named(kept: &str) -> Option<(&str, &str)> {
    kept.strip_prefix(SEALED)?.split_once('.')
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|seal| &seal.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key(byte: u8) -> String {
        STANDARD.encode([byte; 32])
    }

    fn of(keys: &[u8]) -> Seals {
        Seals::read(&keys.iter().map(|byte| key(*byte)).collect::<Vec<_>>().join("\n")).unwrap()
    }

    #[test]
    fn what_is_sealed_is_opened_by_its_key_and_for_what_it_is_of() {
        let (one, other, both) = (of(&[1]), of(&[2]), of(&[2, 1]));
        let text: Sensitive<String> = "a private key".to_owned().into();
        let sealed = one.seal(&text, "7").unwrap();
        assert!(!sealed.contains("private") && sealed != one.seal(&text, "7").unwrap(), "{sealed}");
        assert_eq!(one.open(&sealed, "7").unwrap().expose(), "a private key");
        assert_eq!(both.open(&sealed, "7").unwrap().expose(), "a private key");
        assert!(other.open(&sealed, "7").is_err() && Seals::default().open(&sealed, "7").is_err(), "without its key");
        assert!(one.open(&sealed, "8").is_err(), "in another's place");
        for odd in [format!("{sealed}A"), sealed.replace('.', ".A"), sealed[..30].to_owned(), "sealed.".to_owned()] {
            assert!(one.open(&odd, "7").is_err() || named(&odd).is_none(), "{odd}");
        }
        assert_eq!((one.holds(&sealed), both.holds(&sealed), Seals::default().holds(&sealed)), (true, false, false));
    }

    #[test]
    fn without_a_key_a_text_lies_as_it_is_until_there_is_one() {
        let none = Seals::default();
        let kept = none.seal(&"-----BEGIN".to_owned().into(), "1").unwrap();
        assert_eq!((kept.as_str(), none.holds(&kept), of(&[1]).holds(&kept)), ("-----BEGIN", true, false));
        assert_eq!(of(&[1]).open(&kept, "1").unwrap().expose(), "-----BEGIN");
    }

    #[test]
    fn keys_are_32_bytes_each_and_are_not_shown() {
        assert!(Seals::read(&format!("\n {} \n\n{}\n", key(1), key(2))).is_ok_and(|seals| seals.0.len() == 2));
        for odd in ["AAAA", &format!("{}A", key(1)), &std::iter::repeat_n(key(1), 9).collect::<Vec<_>>().join("\n")] {
            let refused = Seals::read(odd).unwrap_err();
            assert!(!refused.contains(odd), "{refused}");
        }
        assert!(!format!("{:?}", of(&[1])).contains(&key(1)));
        assert!(Seals::read(" \n").unwrap().is_empty());
    }
}
