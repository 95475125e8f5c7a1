//! How an event looks on the broker: CloudEvents 1.0 in NATS binary mode.
//!
//! | header | value |
//! | --- | --- |
//! | `ce-specversion` `ce-datacontenttype` | `1.0`, `application/protobuf` |
//! | `ce-id` `ce-type` `ce-time` | the event's id, full protobuf name, RFC 3339 time |
//! | `ce-source` `ce-subject` | `/tradewind/<context>`, the stream |
//! | `tw-stream` `tw-version` | the stream and the event's version in it |
//! | `tw-log` `tw-partition` `tw-position` | the log's incarnation and the event's place in it |
//! | `tw-after` | the id of the event at the position before; absent at the first |
//! | `tw-key` `tw-correlation` `tw-causation` `traceparent` | the event's metadata |
//! | `Nats-Msg-Id` | the event's id, for the broker's deduplication window |
//!
//! The body is the protobuf message. Subject: `tw.<context>.<partition>.<aggregate>.<EventType>`. Nothing here talks to a
//! broker.

use std::str::FromStr;

use async_nats::HeaderMap;
use bytes::Bytes;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tradewind_store::{Metadata, Recorded, StreamName};
use uuid::Uuid;

/// An event as a message: subject, headers and body.
pub(crate) struct Envelope {
    pub(crate) subject: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why a message is not an event.
#[derive(Debug, thiserror::Error)]
#[error("the message has no usable {0} header")]
pub(crate) struct Malformed(&'static str);

/// The JetStream stream that holds the events of `context`.
pub(crate) fn stream_name(context: &str) -> String {
    format!("TW_{}", token(context).to_uppercase())
}

/// Every subject of `context`.
pub(crate) fn subjects(context: &str) -> String {
    format!("tw.{}.>", token(context))
}

/// Every subject of one partition of `context`.
pub(crate) fn partition_subjects(context: &str, partition: u16) -> String {
    format!("tw.{}.{partition}.>", token(context))
}

/// Where a context tells how far its log reaches.
pub(crate) fn head_subject(context: &str) -> String {
    format!("tw.head.{}", token(context))
}

/// Where the replicas of a context wake one another.
pub(crate) fn wake_subject(context: &str) -> String {
    format!("tw.wake.{}", token(context))
}

/// The durable consumer of one partition: no other reader's, because it begins with the reader's name.
pub(crate) fn consumer_name(reader: &str, partition: u16) -> String {
    format!("{}-{partition}", token(reader))
}

/// What the subjects of all replies to a client begin with.
pub(crate) fn inbox(client: &str) -> String {
    format!("_INBOX.{}", token(client))
}

/// Writes an event as a message, which tells the event `after` which it comes. `None` when a value has a line break, which no
/// header can carry.
pub(crate) fn encode(context: &str, incarnation: Uuid, after: Option<Uuid>, event: &Recorded) -> Option<Envelope> {
    let stream: &str = event.stream.as_ref();
    let Metadata { correlation, causation, traceparent, partition_key } = &event.metadata;
    let texts = [stream, event.type_name.as_str(), correlation, causation, traceparent, partition_key];
    if texts.iter().any(|text| text.contains(['\r', '\n'])) {
        return None;
    }
    let id = event.id.to_string();
    let mut headers = HeaderMap::new();
    headers.insert(async_nats::header::NATS_MESSAGE_ID, id.as_str());
    headers.insert("ce-specversion", "1.0");
    headers.insert("ce-datacontenttype", "application/protobuf");
    headers.insert("ce-id", id);
    headers.insert("ce-type", event.type_name.as_str());
    headers.insert("ce-source", format!("/tradewind/{context}"));
    headers.insert("ce-subject", stream);
    headers.insert("ce-time", event.time.format(&Rfc3339).ok()?);
    headers.insert("tw-stream", stream);
    headers.insert("tw-version", event.version.to_string());
    headers.insert("tw-partition", event.partition.to_string());
    headers.insert("tw-position", event.position.to_string());
    headers.insert("tw-log", incarnation.to_string());
    if let Some(after) = after {
        headers.insert("tw-after", after.to_string());
    }
    headers.insert("tw-key", partition_key.as_str());
    headers.insert("tw-correlation", correlation.as_str());
    headers.insert("tw-causation", causation.as_str());
    headers.insert("traceparent", traceparent.as_str());
    let short = event.type_name.rsplit('.').next().unwrap_or_default();
    let subject =
        format!("tw.{}.{}.{}.{}", token(context), event.partition, token(event.stream.aggregate()), token(short));
    Some(Envelope { subject, headers, body: Bytes::from(event.payload.clone()) })
}

/// The place of a message in its owner's log, read without decoding the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) incarnation: Uuid,
    pub(crate) position: u64,
    /// The event's own id.
    pub(crate) id: Uuid,
    /// The id of the event before; `None` where the message does not tell.
    pub(crate) after: Option<Uuid>,
}

/// Reads a message's place.
pub(crate) fn place(headers: Option<&HeaderMap>) -> Result<Place, Malformed> {
    Ok(Place {
        incarnation: parse(headers, "tw-log")?,
        position: parse(headers, "tw-position")?,
        id: parse(headers, "ce-id")?,
        after: parse(headers, "tw-after").ok(),
    })
}

/// Reads the full protobuf name of a message's event.
pub(crate) fn type_name(headers: Option<&HeaderMap>) -> Result<&str, Malformed> {
    text(headers, "ce-type")
}

/// Reads an event from a message.
pub(crate) fn decode(headers: Option<&HeaderMap>, body: &Bytes) -> Result<Recorded, Malformed> {
    let text = |name| text(headers, name).map(ToOwned::to_owned);
    Ok(Recorded {
        id: parse(headers, "ce-id")?,
        stream: StreamName::from(text("tw-stream")?),
        version: parse(headers, "tw-version")?,
        partition: parse(headers, "tw-partition")?,
        position: parse(headers, "tw-position")?,
        type_name: text("ce-type")?,
        payload: body.to_vec(),
        time: OffsetDateTime::parse(&text("ce-time")?, &Rfc3339).map_err(|_| Malformed("ce-time"))?,
        metadata: Metadata {
            correlation: text("tw-correlation").unwrap_or_default(),
            causation: text("tw-causation").unwrap_or_default(),
            traceparent: text("traceparent").unwrap_or_default(),
            partition_key: text("tw-key").unwrap_or_default(),
        },
    })
}

fn text<'a>(headers: Option<&'a HeaderMap>, name: &'static str) -> Result<&'a str, Malformed> {
    headers.and_then(|headers| headers.get(name)).map(|value| value.as_str().trim()).ok_or(Malformed(name))
}

fn parse<T: FromStr>(headers: Option<&HeaderMap>, name: &'static str) -> Result<T, Malformed> {
    text(headers, name)?.parse().map_err(|_| Malformed(name))
}

/// `text` as one token of a subject or a name of the broker's: anything that has a meaning there becomes `_`.
pub(crate) fn token(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    if text.is_empty() { "_".to_owned() } else { text.chars().map(plain).collect() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn event() -> Recorded {
        Recorded {
            id: Uuid::from_u128(7),
            stream: StreamName::from("order-42".to_owned()),
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
        }
    }

    #[test]
    fn an_event_survives_the_wire() {
        let (log, before) = (Uuid::from_u128(9), Uuid::from_u128(6));
        let sent = encode("ordering", log, Some(before), &event()).unwrap();
        assert_eq!(sent.subject, "tw.ordering.5.order.OrderPlaced");
        assert_eq!(
            place(Some(&sent.headers)).unwrap(),
            Place { incarnation: log, position: 1_234, id: event().id, after: Some(before) }
        );
        let received = decode(Some(&sent.headers), &sent.body).unwrap();
        assert_eq!(format!("{received:?}"), format!("{:?}", event()));
    }

    #[test]
    fn what_no_header_can_carry_is_not_sent() {
        let mut event = event();
        event.metadata.correlation = "a\r\nNats-Rollup: all".to_owned();
        assert!(encode("ordering", Uuid::nil(), None, &event).is_none());
    }

    #[test]
    fn a_message_without_our_headers_is_malformed() {
        assert!(place(None).is_err());
        assert!(decode(Some(&HeaderMap::new()), &Bytes::new()).is_err());
    }
}
