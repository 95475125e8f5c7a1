//! Percent-decoding that refuses what is no escape.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The bytes that a text stands for, which mostly are its own; none where an escape is not one.
pub(crate) fn decoded(text: &str) -> Option<Cow<'_, [u8]>> {
    well_formed(text).then(|| percent_decode_str(text).into())
}

/// As [`decoded`], but an escaped slash stays as it was sent: it would read as the end of a segment.
pub(crate) fn decoded_segments(text: &str) -> Option<Cow<'_, [u8]>> {
    if !well_formed(text) {
        return None;
    }
    if !text.contains('%') {
        return Some(text.as_bytes().into());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices("%2").filter(|(at, _)| text[at + 2..].starts_with(['f', 'F'])) {
        bytes.extend(percent_decode_str(&text[from..at]));
        bytes.extend_from_slice(&text.as_bytes()[at..at + 3]);
        from = at + 3;
    }
    bytes.extend(percent_decode_str(&text[from..]));
    Some(bytes.into())
}

/// Whether every percent sign is followed by two hexadecimal digits.
pub(crate) fn well_formed(text: &str) -> bool {
    let parts = text.split('%').skip(1).map(str::as_bytes);
    parts.into_iter().all(|part| part.len() >= 2 && part[..2].iter().all(u8::is_ascii_hexdigit))
}
