//! Position tokens: what a write returns so that a later read can wait for it.

use std::fmt::Write;

use tradewind_domain::Error;

/// A position in a partition of a context's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) context: String,
    pub(crate) partition: u16,
    pub(crate) position: u64,
}

/// More places than any token can have.
const MOST: usize = 1024;

/// `<context>:<partition>:<position>`, separated by commas.
pub(crate) fn format(places: &[Place]) -> String {
    let mut text = String::new();
    for Place { context, partition, position } in places {
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}{context}:{partition}:{position}");
    }
    text
}

/// Reads what [`format`] wrote; an empty text has no places.
pub(crate) fn parse(text: &str) -> Result<Vec<Place>, Error> {
    let malformed =
        || Error::invalid("position_token", "POSITION_TOKEN_MALFORMED", "not a token that a write returned");
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if text.split(',').count() > MOST {
        return Err(malformed());
    }
    text.split(',')
        .map(|place| {
            let mut parts = place.split(':');
            let (Some(context), Some(partition), Some(position), None) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                return Err(malformed());
            };
            if context.is_empty() || !context.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(malformed());
            }
            Ok(Place {
                context: context.to_owned(),
                partition: partition.parse().map_err(|_| malformed())?,
                position: position.parse().map_err(|_| malformed())?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_survives_the_round_trip() {
        let text = "catalog:0:123,catalog:15:7";
        assert_eq!(format(&parse(text).unwrap()), text);
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn anything_else_is_invalid() {
        for text in
            ["x", "catalog:0", "catalog:0:1:2", ":0:1", "catalog:-1:1", "catalog:0:x", "catalog:0:1,", "a b:0:1"]
        {
            let error = parse(text).unwrap_err();
            assert_eq!(error.reason, "POSITION_TOKEN_MALFORMED", "{text}");
        }
    }
}
