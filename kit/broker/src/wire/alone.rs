//! An event alone in a message, as builds before published it: `CloudEvents` 1.0 in NATS binary mode. It is read and no longer
//! written.
//!
//! | header | value |
//! | --- | --- |
//! | `ce-id` `ce-type` `ce-time` | the event's id, full protobuf name, RFC 3339 time |
//! | `tw-stream` `tw-version` | the stream and the event's version in it |
//! | `tw-log` `tw-partition` `tw-position` | the log's incarnation and the event's place in it |
//! | `tw-after` | the id of the event at the position before; absent at the first |
//! | `tw-key` `tw-correlation` `tw-causation` `traceparent` | the event's metadata |
//!
//! The body is the protobuf message.

use std::str::FromStr;

use async_nats::HeaderMap;
use bytes::Bytes;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tradewind_store::{Metadata, Recorded, StreamName};

use super::{Entry, Frame, Malformed, is_position};

/// Whether a message with these headers is an event alone.
pub(super) fn is_alone(headers: &HeaderMap) -> bool {
    headers.get("ce-id").is_some()
}

/// Reads an event as a frame of one.
pub(super) fn decode(
    partition: u16,
    headers: &HeaderMap,
    body: &Bytes,
    wanted: impl Fn(&str) -> bool,
) -> Result<Frame, Malformed> {
    if parse::<u16>(headers, "tw-partition")? != partition {
        return Err(Malformed("it is of another partition"));
    }
    let (id, first) = (parse(headers, "ce-id")?, parse(headers, "tw-position")?);
    if !is_position(first) {
        return Err(Malformed("its position cannot be"));
    }
    let type_name = text(headers, "ce-type")?;
    let metadata = |name| text(headers, name).unwrap_or_default().to_owned();
    let recorded = || {
        Ok(Recorded {
            id,
            stream: StreamName::from(text(headers, "tw-stream")?),
            version: parse(headers, "tw-version")?,
            partition,
            position: first,
            type_name: type_name.to_owned(),
            payload: body.to_vec(),
            time: OffsetDateTime::parse(text(headers, "ce-time")?, &Rfc3339).map_err(|_| Malformed("ce-time"))?,
            metadata: Metadata {
                correlation: metadata("tw-correlation"),
                causation: metadata("tw-causation"),
                traceparent: metadata("traceparent"),
                partition_key: metadata("tw-key"),
            },
        })
    };
    let event = if wanted(type_name) { Some(recorded()?) } else { None };
    let (incarnation, after) = (parse(headers, "tw-log")?, parse(headers, "tw-after").ok());
    Ok(Frame { incarnation, first, after, entries: vec![Entry { id, event }] })
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Malformed> {
    headers.get(name).map(|value| value.as_str().trim()).ok_or(Malformed(name))
}

fn parse<T: FromStr>(headers: &HeaderMap, name: &'static str) -> Result<T, Malformed> {
    text(headers, name)?.parse().map_err(|_| Malformed(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
    use uuid::Uuid;

    use super::*;

    const SENT: [(&str, &str); 13] = [
        ("ce-id", "00000000-0000-0000-0000-000000000007"),
        ("ce-type", "tradewind.ordering.v1.OrderPlaced"),
        ("ce-source", "/tradewind/ordering"),
        ("ce-time", "2026-11-21T10:00:00.123456Z"),
        ("tw-stream", "order-42"),
        ("tw-version", "3"),
        ("tw-partition", "5"),
        ("tw-position", "1234"),
        ("tw-log", "00000000-0000-0000-0000-000000000009"),
        ("tw-after", "00000000-0000-0000-0000-000000000006"),
        ("tw-key", "42"),
        ("tw-correlation", "42"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];

    fn headers(without: &str) -> HeaderMap {
        SENT.iter().filter(|(name, _)| *name != without).map(|(name, value)| (*name, *value)).fold(
            HeaderMap::new(),
            |mut headers, (name, value)| {
                headers.insert(name, value);
                headers
            },
        )
    }

    #[test]
    fn an_event_of_a_build_before_is_read_as_a_frame_of_one() {
        let body = Bytes::from_static(&[1, 2, 3]);
        let frame = super::super::read("ordering", 5, Some(&headers("")), &body, |_| true).unwrap();
        assert_eq!((frame.incarnation, frame.first, frame.last()), (Uuid::from_u128(9), 1_234, 1_234));
        assert_eq!(frame.after, Some(Uuid::from_u128(6)));
        let expected = Recorded {
            id: Uuid::from_u128(7),
            stream: StreamName::from("order-42"),
            version: 3,
            partition: 5,
            position: 1_234,
            type_name: "tradewind.ordering.v1.OrderPlaced".to_owned(),
            payload: vec![1, 2, 3],
            time: time::macros::datetime!(2026-11-21 10:00:00.123456 UTC),
            metadata: Metadata {
                correlation: "42".to_owned(),
                causation: String::new(),
                traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
                partition_key: "42".to_owned(),
            },
        };
        assert_eq!(frame.entries.into_iter().map(|entry| entry.event).collect::<Vec<_>>(), [Some(expected)]);
        let unwanted = decode(5, &headers("tw-stream"), &body, |_| false).unwrap();
        assert!(unwanted.entries.iter().all(|entry| entry.event.is_none()));
    }

    #[test]
    fn without_its_headers_it_is_malformed() {
        for name in ["ce-id", "ce-type", "ce-time", "tw-stream", "tw-version", "tw-partition", "tw-position", "tw-log"]
        {
            assert!(decode(5, &headers(name), &Bytes::new(), |_| true).is_err(), "{name}");
        }
        assert!(decode(4, &headers(""), &Bytes::new(), |_| true).is_err());
        for position in ["0", "9223372036854775808", "-1"] {
            let mut headers = headers("tw-position");
            headers.insert("tw-position", position);
            assert!(decode(5, &headers, &Bytes::new(), |_| true).is_err(), "{position}");
        }
    }
}
