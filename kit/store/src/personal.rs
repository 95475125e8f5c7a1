//! What is about somebody in rows that wait for a commit: it is marked where the row is made, and sealed with the commit.

use prost::encoding::encode_varint;
use sea_orm::Value;

use crate::seal::part;

/// What marked bytes begin with; no protobuf message does.
const BYTES: [u8; 2] = [0x07, 0x00];
/// What a marked text begins with, and what stands behind its subject.
const TEXT: char = '\u{7}';

/// Marks what is about `subject`, for a column of bytes of a row that is put in a transaction or by a projection: it is sealed with
/// the commit, and opened by [`Store::open_sealed`](crate::Store::open_sealed). When they are erased, what is `open` is left.
#[must_use]
pub fn about(subject: &str, open: &[u8], whole: &[u8]) -> Vec<u8> {
    let mut marked = BYTES.to_vec();
    for part in [subject.as_bytes(), open] {
        encode_varint(part.len() as u64, &mut marked);
        marked.extend_from_slice(part);
    }
    marked.extend_from_slice(whole);
    marked
}

/// The same of a text, opened by [`Store::open_text`](crate::Store::open_text). A subject is of printable characters.
#[must_use]
pub fn text_about(subject: &str, whole: &str) -> String {
    format!("{TEXT}{TEXT}{subject}{TEXT}{whole}")
}

/// What is marked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marked<'a> {
    pub(crate) subject: &'a str,
    pub(crate) open: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// Whom a value is about, and what it says of them.
pub(crate) fn marked(value: &Value) -> Option<Marked<'_>> {
    match value {
        Value::Bytes(Some(bytes)) => {
            let mut whole = bytes.strip_prefix(&BYTES)?;
            let subject = std::str::from_utf8(part(&mut whole)?).ok()?;
            let open = part(&mut whole)?;
            Some(Marked { subject, open, whole })
        }
        Value::String(Some(text)) => {
            let (subject, whole) = text.strip_prefix(TEXT)?.strip_prefix(TEXT)?.split_once(TEXT)?;
            Some(Marked { subject, open: &[], whole: whole.as_bytes() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_found_and_nothing_else() {
        let (bytes, text) = (about("o-1", b"GB", b"Ada").into(), text_about("o-1", "Ada\u{7}").into());
        assert_eq!(marked(&bytes), Some(Marked { subject: "o-1", open: b"GB", whole: b"Ada" }));
        assert_eq!(marked(&text), Some(Marked { subject: "o-1", open: b"", whole: b"Ada\x07" }));
        for plain in [Value::from("Ada"), b"\x07".to_vec().into(), "\u{7}Ada".into(), Value::Bytes(None), 7.into()] {
            assert_eq!(marked(&plain), None);
        }
    }
}
