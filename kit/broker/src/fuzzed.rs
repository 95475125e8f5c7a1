//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use async_nats::{HeaderMap, HeaderValue};
use bytes::Bytes;
use tradewind_store::Recorded;

use crate::wire::{Frame, encode, public, read};
use crate::{check_broker_url, wire};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("frames", frames), ("events-alone", events_alone), ("broker-urls", broker_urls)];

const CONTEXT: &str = "ordering";
const PARTITION: u16 = 5;
/// The headers of an event that is alone in its message.
const HEADERS: [&str; 12] = [
    "ce-id",
    "ce-type",
    "ce-time",
    "tw-stream",
    "tw-version",
    "tw-log",
    "tw-partition",
    "tw-position",
    "tw-after",
    "tw-key",
    "tw-correlation",
    "traceparent",
];

fn frames(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    let Ok(frame) = read(CONTEXT, PARTITION, None, &body, |_| true) else { return };
    let unwanted = read(CONTEXT, PARTITION, None, &body, |_| false).ok();
    assert_eq!(unwanted.and_then(|frame| frame.last_id()), frame.last_id());
    let (log, first, after, events) = parts(frame);
    events.iter().for_each(is_told_in_headers);
    let again = encode(CONTEXT, log, after, &events).body;
    let again = read(CONTEXT, PARTITION, None, &again, |_| true).map(parts);
    assert!(again.is_ok_and(|again| again == (log, first, after, events)), "it is another frame");
}

type Parts = (uuid::Uuid, u64, Option<uuid::Uuid>, Vec<Recorded>);

fn parts(frame: Frame) -> Parts {
    let events = frame.entries.into_iter().filter_map(|entry| entry.event).collect();
    (frame.incarnation, frame.first, frame.after, events)
}

/// `NAME: VALUE` on each line, a blank one, and the event.
fn events_alone(bytes: &[u8]) {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(bytes.len());
    let (head, body) = (String::from_utf8_lossy(&bytes[..end]), bytes.get(end + 2..).unwrap_or_default());
    let mut headers = HeaderMap::new();
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        let known = HEADERS.into_iter().find(|known| *known == name);
        if let (Some(name), Ok(value)) = (known, value.parse::<HeaderValue>()) {
            headers.insert(name, value);
        }
    }
    if let Ok(frame) = read(CONTEXT, PARTITION, Some(&headers), &Bytes::copy_from_slice(body), |_| true) {
        let (_, first, _, events) = parts(frame);
        assert!(events.iter().all(|event| (event.partition, event.position) == (PARTITION, first)));
        events.iter().for_each(is_told_in_headers);
    }
}

/// What is told of it to whoever is outside can stand in headers and in a subject.
fn is_told_in_headers(event: &Recorded) {
    let told = public(CONTEXT, uuid::Uuid::nil(), None, event, Vec::new());
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    for (name, values) in told.headers.iter() {
        assert!(values.iter().all(|value| is_plain(value.as_str())), "{name:?}: {values:?}");
    }
    assert!(is_plain(&told.subject) && told.subject.split('.').count() == 5, "{}", told.subject);
    assert!(!wire::token(event.stream.as_str()).contains(['.', '*', '>']));
}

fn broker_urls(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let each_is_one = text.split(',').all(|one| check_broker_url(one).is_ok());
    assert!(each_is_one || check_broker_url(text).is_err(), "one of its servers is none");
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
