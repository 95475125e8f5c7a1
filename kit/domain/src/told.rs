//! What may be kept of what parties outside say. Their text is in no event, row or log but as one of these.

use std::fmt;

/// Why a party outside refuses: 1 to 64 of A-Z, 0-9 and _, beginning with a letter, with four digits at most, so that it can
/// hold no sentence, no name as it is written and no number of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// What a party outside calls a charge, a refund or a parcel: 1 to 64 printable ASCII characters without spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference(String);

const LONGEST: usize = 64;
const MOST_DIGITS: usize = 4;

impl Reason {
    /// The reason that `text` is, if it is one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let is_of_reason = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let sound = (1..=LONGEST).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_uppercase())
            && text.bytes().all(is_of_reason)
            && text.bytes().filter(u8::is_ascii_digit).count() <= MOST_DIGITS;
        sound.then(|| Self(text.to_owned()))
    }

    /// The reason that `text` is, or `UNNAMED`.
    #[must_use]
    pub fn told(text: &str) -> Self {
        Self::read(text).unwrap_or_else(|| Self("UNNAMED".to_owned()))
    }

    /// The reason itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Reference {
    /// The reference that `text` is, if it is one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let sound = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        sound.then(|| Self(text.to_owned()))
    }

    /// The reference itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_never_a_sentence_a_number_or_long() {
        for text in ["UNDELIVERABLE_ADDRESS", "HTTP_409", "R05", &"X".repeat(64)] {
            assert_eq!(Reason::told(text).as_str(), text);
        }
        for text in [
            "",
            "no street 1 High Street",
            "lower",
            "_X",
            "4111111111111111",
            "CARD_4111_1111_1111_1111",
            "ÄRGER",
            "A\nB",
            &"X".repeat(65),
            &"X".repeat(5_000_000),
        ] {
            assert_eq!(Reason::told(text).as_str(), "UNNAMED");
        }
    }

    #[test]
    fn a_reference_is_short_and_printable() {
        for text in ["ch_1", "1Z999AA10123456784", "TW/1#2", &"X".repeat(64)] {
            assert_eq!(Reference::read(text).map(String::from).as_deref(), Some(text));
        }
        for text in ["", " ", "a b", "a\u{1b}[31m", "é", "a\n", &"X".repeat(65)] {
            assert_eq!(Reference::read(text), None, "{text:?}");
        }
    }
}
