//! What a mark says as a function of bytes.

use super::said::{State, akin, number};

/// A mark, and on the next line the header of a file.
pub(crate) fn marks(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (text, other) = text.split_once('\n').unwrap_or((text, ""));
    let said = State::parse(text);
    assert!(said.text().is_none_or(|text| State::parse(&text) == said), "{said:?}");
    let Some(header) = said.header() else { return };
    assert_eq!(akin(header, other), akin(other, header));
    assert_eq!(akin(header, header), number(header).is_some());
}
