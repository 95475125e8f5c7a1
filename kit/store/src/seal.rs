//! How what is about somebody lies in the database: sealed under a key that is theirs alone, so that destroying the key erases it
//! wherever its bytes are: in pages that are free again, in a log of the database, in a backup.
//!
//! An envelope says whose it is, and what of it may be known to everybody; AES-256-GCM seals the whole and vouches for the rest. It
//! begins as no protobuf message does, so that a build that does not know envelopes fails where it meets one.

use std::sync::Arc;

use prost::encoding::{decode_varint, encode_varint};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use tradewind_domain::Error;

/// What may be known to everybody of an event, by its type and payload.
pub type Show = fn(&str, &[u8]) -> Vec<u8>;

/// A field of number 0 and of no type, and the version of the envelope.
const MARK: [u8; 2] = [0x07, 0x01];
/// Bytes of a key.
pub(crate) const KEY: usize = 32;

/// The key of one subject.
#[derive(Clone)]
pub(crate) struct Key {
    bytes: [u8; KEY],
    cipher: Arc<LessSafeKey>,
}

/// What is in an envelope, before it is opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    /// Whose it is.
    pub(crate) subject: &'a str,
    /// What may be known to everybody.
    pub(crate) open: &'a [u8],
    /// All that is before the nonce.
    head: &'a [u8],
    /// The nonce and what is sealed; empty where the subject had been erased before.
    rest: &'a [u8],
}

impl Key {
    /// Makes a new key.
    pub(crate) fn new() -> Result<Self, Error> {
        Self::read(&random::<KEY>()?)
    }

    /// A key as the database keeps it.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let bytes: [u8; KEY] = bytes.try_into().map_err(|_| Error::internal("a subject's key is not 32 bytes"))?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| Error::internal("a subject's key is none"))?;
        Ok(Self { bytes, cipher: Arc::new(LessSafeKey::new(key)) })
    }

    /// The key as the database keeps it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes.to_vec()
    }

    /// Seals `whole`, of which everybody may know what is `open`.
    pub(crate) fn seal(&self, subject: &str, open: &[u8], whole: &[u8]) -> Result<Vec<u8>, Error> {
        let mut envelope = head(subject, open);
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = whole.to_vec();
        let nonce_of = Nonce::assume_unique_for_key(nonce);
        let done = self.cipher.seal_in_place_append_tag(nonce_of, Aad::from(&envelope), &mut sealed);
        done.map_err(|_| Error::internal("what is about somebody cannot be sealed"))?;
        envelope.extend(nonce);
        envelope.append(&mut sealed);
        Ok(envelope)
    }

    /// What was sealed.
    pub(crate) fn open(&self, envelope: &Envelope<'_>) -> Result<Vec<u8>, Error> {
        let spoilt = || Error::internal(format!("what is about {} is not what was sealed", envelope.subject));
        let (nonce, sealed) = envelope.rest.split_at_checked(NONCE_LEN).ok_or_else(spoilt)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| spoilt())?;
        let mut bytes = sealed.to_vec();
        let opened = self.cipher.open_in_place(nonce, Aad::from(envelope.head), &mut bytes).map_err(|_| spoilt())?;
        let length = opened.len();
        bytes.truncate(length);
        Ok(bytes)
    }
}

impl<'a> Envelope<'a> {
    /// Reads an envelope; `None` where the bytes are none.
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&MARK)?;
        let subject = std::str::from_utf8(part(&mut rest)?).ok()?;
        let open = part(&mut rest)?;
        let head = bytes.get(..bytes.len() - rest.len())?;
        Some(Self { subject, open, head, rest })
    }

    /// Whether its subject had been erased before it was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// An envelope without what is sealed: of somebody who is erased.
pub(crate) fn head(subject: &str, open: &[u8]) -> Vec<u8> {
    let mut head = MARK.to_vec();
    for part in [subject.as_bytes(), open] {
        encode_varint(part.len() as u64, &mut head);
        head.extend_from_slice(part);
    }
    head
}

/// A part of an envelope, which says how long it is, and what is behind it.
pub(crate) fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(decode_varint(rest).ok()?).ok()?;
    let (part, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(part)
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal("the system has no random numbers"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_by_its_key_alone_and_only_whole() {
        let (key, other) = (Key::new().unwrap(), Key::new().unwrap());
        let sealed = key.seal("order-1", b"open", b"Ada Lovelace").unwrap();
        assert!(!sealed.windows(3).any(|bytes| bytes == b"Ada"));
        let envelope = Envelope::of(&sealed).unwrap();
        assert_eq!((envelope.subject, envelope.open, envelope.is_empty()), ("order-1", &b"open"[..], false));
        assert_eq!(Key::read(&key.bytes()).unwrap().open(&envelope).unwrap(), b"Ada Lovelace");
        assert!(other.open(&envelope).is_err());
        for spoilt in 2..sealed.len() {
            let mut bytes = sealed.clone();
            bytes[spoilt] ^= 1;
            assert!(Envelope::of(&bytes).is_none_or(|envelope| key.open(&envelope).is_err()), "{spoilt}");
            assert!(Envelope::of(&sealed[..spoilt]).is_none_or(|envelope| key.open(&envelope).is_err()), "{spoilt}");
        }
        assert!(Key::read(b"short").is_err());
    }

    #[test]
    fn of_somebody_erased_only_what_everybody_may_know_is_written() {
        let bytes = head("order-1", b"open");
        let envelope = Envelope::of(&bytes).unwrap();
        assert_eq!((envelope.subject, envelope.open, envelope.is_empty()), ("order-1", &b"open"[..], true));
    }

    #[test]
    fn no_message_and_no_text_is_taken_for_an_envelope() {
        assert!(prost::encoding::decode_key(&mut &MARK[..]).is_err());
        for plain in [&b""[..], b"\x07", b"\x0a\x03o-1", b"text"] {
            assert_eq!(Envelope::of(plain), None);
        }
    }
}
