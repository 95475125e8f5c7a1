//! Position tokens: what a write returns so that a later read can wait for it.

use std::fmt::Write;

use uuid::Uuid;

/// A position in a partition of a context's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) context: String,
    /// Which log of the context: see [`log`]. `None` in a token of a build before, which means the log that the context has now:
    /// clients keep those through a rollout. That form can go with the release after the one that brought the log's name.
    pub(crate) log: Option<u64>,
    pub(crate) partition: u16,
    pub(crate) position: u64,
}

/// A token is of one log, which has no more partitions.
const MOST_PLACES: usize = 16;
/// Bytes of the longest token; a context's name is short.
const LONGEST: usize = 2_048;

/// Tells one log of a context from another: positions of an earlier one mean nothing in a later one.
pub(crate) fn log(incarnation: Uuid) -> u64 {
    incarnation.as_u64_pair().0
}

/// `<context>:<log>:<partition>:<position>`, separated by commas; without the log where it is not known.
pub(crate) fn format(places: &[Place]) -> String {
    let mut text = String::new();
    for Place { context, log, partition, position } in places {
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}{context}:");
        if let Some(log) = log {
            let _ = write!(text, "{log:016x}:");
        }
        let _ = write!(text, "{partition}:{position}");
    }
    text
}

/// Reads what [`format`] wrote here or in a build before, and nothing else; an empty text has no places.
pub(crate) fn parse(text: &str) -> Option<Vec<Place>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    if text.len() > LONGEST || text.split(',').count() > MOST_PLACES {
        return None;
    }
    let places = text.split(',').map(place).collect::<Option<Vec<_>>>()?;
    (format(&places) == text).then_some(places)
}

fn place(text: &str) -> Option<Place> {
    let parts: Vec<_> = text.split(':').collect();
    let (context, log, partition, position) = match *parts.as_slice() {
        [context, log, partition, position] => (context, Some(u64::from_str_radix(log, 16).ok()?), partition, position),
        [context, partition, position] => (context, None, partition, position),
        _ => return None,
    };
    let named = !context.is_empty() && context.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let position =
        position.parse().ok().filter(|position| i64::try_from(*position).is_ok_and(|position| position > 0))?;
    let place = Place { context: context.to_owned(), log, partition: partition.parse().ok()?, position };
    named.then_some(place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LOG: &str = "0190163d8694739b";

    #[test]
    fn a_token_survives_the_round_trip() {
        let text = format!("catalog:{LOG}:0:123,catalog:{LOG}:15:7");
        assert_eq!(format(&parse(&text).unwrap()), text);
        assert_eq!(parse("").unwrap(), []);
        let incarnation = Uuid::parse_str("0190163d-8694-739b-aea5-966c26f8ad91").unwrap();
        assert_eq!(parse(&text).unwrap()[0].log, Some(log(incarnation)));
    }

    #[test]
    fn a_token_of_a_build_before_names_no_log() {
        let text = "catalog:0:123,catalog:15:7";
        let places = parse(text).unwrap();
        assert_eq!(
            places.iter().map(|place| (place.log, place.position)).collect::<Vec<_>>(),
            [(None, 123), (None, 7)]
        );
        assert_eq!(format(&places), text);
        for text in
            ["catalog:65536:1", "catalog:0:0", "catalog:00:1", "catalog:-1:1", "catalog:0:1:", ":0:1", "catalog:0:01"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        let many = vec![format!("catalog:{LOG}:0:1"); MOST_PLACES + 1].join(",");
        let long = format!("{}:{LOG}:0:1", "c".repeat(LONGEST));
        let of = |rest: &str| format!("catalog:{LOG}:{rest}");
        let mut texts = vec!["x", "catalog:0", "catalog", "::::", ",", "a b:0190163d8694739b:0:1", &many, &long];
        let rest = [
            "",
            "0",
            "0:1:2",
            "-1:1",
            "0:x",
            "0:1,",
            "+0:1",
            "00:1",
            "0:01",
            "0:0",
            "65536:1",
            "0:9223372036854775808",
        ];
        let rest: Vec<_> = rest.into_iter().map(of).collect();
        texts.extend(rest.iter().map(String::as_str));
        texts.extend([
            ":0190163d8694739b:0:1",
            "catalog:190163d8694739b:0:1",
            "catalog:0190163D8694739B:0:1",
            "catalog:+190163d8694739b:0:1",
        ]);
        for text in texts {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
