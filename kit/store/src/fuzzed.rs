//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use sea_orm::Value;

use crate::personal::{Marked, about, marked};
use crate::seal::{Envelope, KEY, Key, head};
use crate::store::event_at;
use crate::{Cursor, token};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("position-tokens", position_tokens), ("sealed-envelopes", sealed_envelopes)];

/// What lies sealed, or is marked to be; the key of nobody opens it.
fn sealed_envelopes(bytes: &[u8]) {
    if let Some(envelope) = Envelope::of(bytes) {
        let again = head(envelope.subject, envelope.open);
        let read = Envelope::of(&again).map(|read| (read.subject, read.open, read.is_empty()));
        assert_eq!(read, Some((envelope.subject, envelope.open, true)));
        let key = Key::read(&[7; KEY]);
        assert!(key.is_ok_and(|key| key.open(&envelope).is_err()));
    }
    let value = Value::from(bytes.to_vec());
    if let Some(Marked { subject, open, whole }) = marked(&value) {
        let again = Value::from(about(subject, open, whole));
        assert_eq!(marked(&again), Some(Marked { subject, open, whole }));
    }
    let text = Value::from(String::from_utf8_lossy(bytes).into_owned());
    if let Some(Marked { subject, whole, .. }) = marked(&text) {
        assert!(!subject.contains('\u{7}') && std::str::from_utf8(whole).is_ok());
    }
}

/// A token of a client, or what a cursor has reached.
fn position_tokens(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Some(places) = token::parse(text) {
        assert_eq!(token::format(&places), text);
    }
    if let Some((position, event)) = text.split_once(' ').and_then(|(at, _)| {
        let position = at.parse().ok()?;
        Some((position, event_at(position, text)?))
    }) {
        let cursor = Cursor { position, event: Some(event), ..Cursor::default() };
        assert_eq!(cursor.reached().and_then(|text| event_at(position, &text)), Some(event));
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
