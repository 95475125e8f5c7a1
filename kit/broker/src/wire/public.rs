//! An event as whoever is outside reads it: `CloudEvents` 1.0 in NATS' binary mode, an event a message.
//!
//! Subject `tw.public.<context>.<partition>.<event>`, such as `tw.public.ordering.0.OrderPlaced`.
//!
//! | header | value |
//! | --- | --- |
//! | `ce-specversion` | `1.0` |
//! | `ce-id` | the event's id (UUIDv7) |
//! | `ce-type` | its full protobuf name |
//! | `ce-source` | `/tradewind/<context>` |
//! | `ce-subject` | what it is about, such as an order's id; in it, what is not ASCII that can be printed is `%` and two digits a byte |
//! | `ce-time` | when it was recorded (RFC 3339) |
//! | `ce-datacontenttype`, `content-type` | `application/protobuf` |
//! | `ce-partition`, `ce-position` | its place in the log |
//! | `ce-log` | the incarnation of the log: positions of two of them have nothing to do with each other |
//! | `ce-after` | the id of the event at the position before; absent at the first |
//! | `ce-traceparent` | the W3C trace context of the work that recorded it; absent where there was none |
//! | `Nats-Msg-Id` | as `ce-id` |
//!
//! The body is the protobuf message without its sensitive fields. Correlation and causation are not told: callers choose them.

use async_nats::HeaderMap;
use async_nats::header::NATS_MESSAGE_ID;
use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use time::format_description::well_known::Rfc3339;
use tradewind_store::Recorded;
use uuid::Uuid;

use super::token;

/// What would not be itself in a header.
const UNPRINTABLE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');
const PROTOBUF: &str = "application/protobuf";

/// An event as a message.
pub struct Public {
    pub subject: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The JetStream stream that holds the events of `context` for whoever is outside.
pub fn public_stream(context: &str) -> String {
    format!("TW_PUBLIC_{}", token(context).to_uppercase())
}

/// Every subject of them.
pub fn public_subjects(context: &str) -> String {
    format!("tw.public.{}.>", token(context))
}

/// What the subjects of all replies to a reader begin with. No client of the shop's has a name in capitals.
pub fn reader_inbox(reader: &str) -> String {
    format!("_INBOX.READER.{}", token(reader))
}

/// Writes an event of `context`'s log, of which `shown` is to be seen, as a message; before it comes the event `after`.
pub fn public(context: &str, incarnation: Uuid, after: Option<Uuid>, event: &Recorded, shown: Vec<u8>) -> Public {
    let name = event.type_name.rsplit('.').next().unwrap_or_default();
    let about = utf8_percent_encode(&event.metadata.partition_key, UNPRINTABLE).to_string();
    let (id, trace) = (event.id.to_string(), &event.metadata.traceparent);
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, id.as_str());
    headers.insert("ce-specversion", "1.0");
    headers.insert("ce-id", id);
    headers.insert("ce-type", printable(&event.type_name));
    headers.insert("ce-source", format!("/tradewind/{}", token(context)));
    headers.insert("ce-subject", about);
    headers.insert("ce-time", event.time.format(&Rfc3339).unwrap_or_default());
    headers.insert("ce-datacontenttype", PROTOBUF);
    headers.insert("content-type", PROTOBUF);
    headers.insert("ce-partition", event.partition.to_string());
    headers.insert("ce-position", event.position.to_string());
    headers.insert("ce-log", incarnation.to_string());
    if let Some(after) = after {
        headers.insert("ce-after", after.to_string());
    }
    if !trace.is_empty() {
        headers.insert("ce-traceparent", printable(trace));
    }
    let subject = format!("tw.public.{}.{}.{}", token(context), event.partition, token(name));
    Public { subject, headers, body: shown.into() }
}

fn printable(text: &str) -> String {
    utf8_percent_encode(text, UNPRINTABLE).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
    use tradewind_testing::recorded;

    use super::*;

    fn said(headers: &HeaderMap, name: &str) -> Option<String> {
        headers.get(name).map(|value| value.as_str().to_owned())
    }

    #[test]
    fn an_event_has_the_attributes_that_cloudevents_asks_for() {
        let event = recorded("order-42", 3);
        let Public { subject, headers, body } =
            public("ordering", Uuid::from_u128(9), Some(Uuid::from_u128(6)), &event, vec![1]);
        let last = event.type_name.rsplit('.').next().unwrap();
        assert_eq!(subject, format!("tw.public.ordering.{}.{}", event.partition, token(last)));
        assert_eq!(body, Bytes::from_static(&[1]), "what is to be seen, and not the event");
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-id", event.id.to_string().as_str()),
            ("ce-source", "/tradewind/ordering"),
            ("ce-type", event.type_name.as_str()),
            ("ce-subject", event.metadata.partition_key.as_str()),
            ("ce-datacontenttype", "application/protobuf"),
            ("ce-position", event.position.to_string().as_str()),
            ("ce-log", Uuid::from_u128(9).to_string().as_str()),
            ("ce-after", Uuid::from_u128(6).to_string().as_str()),
        ] {
            assert_eq!(said(&headers, name).as_deref(), Some(value), "{name}");
        }
        let first = public("ordering", Uuid::from_u128(9), None, &event, Vec::new());
        assert_eq!(said(&first.headers, "ce-after"), None);
    }

    #[test]
    fn what_it_is_about_can_be_anything() {
        let mut event = recorded("stock-42", 1);
        event.metadata.partition_key = "té\r\nce-type: x".to_owned();
        let headers = public("inventory", Uuid::from_u128(9), None, &event, Vec::new()).headers;
        assert_eq!(said(&headers, "ce-subject").as_deref(), Some("t%C3%A9%0D%0Ace-type:%20x"));
    }
}
