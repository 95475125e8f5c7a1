//! A frame: a run of contiguous positions of one partition in one message without headers.
//!
//! Subject `tw.<context>.<partition>.frame`; the body is this message, with no more in it than its reader needs:
//!
//! ```proto
//! message Frame {
//!   string context = 1;
//!   uint32 partition = 2;
//!   bytes log = 3;             // The log's incarnation: a UUID, 16 bytes as all ids here.
//!   uint64 first = 4;          // The position of the first event; each of the others is at the next.
//!   bytes after = 5;           // The id of the event before the first; empty where there is none, or it is not known.
//!   repeated string types = 6; // The full protobuf names of the events, each once.
//!   repeated Event events = 7;
//! }
//! message Event {
//!   bytes id = 1;
//!   uint32 type = 2;                  // Which of `types`, from 0.
//!   string stream = 3;
//!   uint64 version = 4;
//!   int64 time = 5;                   // Microseconds since 1970.
//!   bytes payload = 6;                // The protobuf message.
//!   optional string key = 7;          // Without it, what follows the stream's first hyphen.
//!   optional string correlation = 8;  // Without it, the key.
//!   string causation = 9;
//!   string traceparent = 10;
//! }
//! ```
//!
//! It has no message id: what is published twice is cut into other frames, and readers pass over what they have read.

use bytes::Bytes;
use prost::Message;
use time::OffsetDateTime;
use tradewind_domain::LARGEST_EVENT;
use tradewind_store::{Metadata, Recorded, StreamName};
use uuid::Uuid;

use super::{Entry, Frame, Malformed, frame_subject, is_position};

/// Bytes of events that go out together. A larger event goes alone.
const FRAME_BYTES: usize = LARGEST_EVENT / 2;

/// A frame as a message: subject and body.
pub struct Envelope {
    pub subject: String,
    pub body: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Body {
    #[prost(string, tag = "1")]
    context: String,
    #[prost(uint32, tag = "2")]
    partition: u32,
    #[prost(bytes = "vec", tag = "3")]
    log: Vec<u8>,
    #[prost(uint64, tag = "4")]
    first: u64,
    #[prost(bytes = "vec", tag = "5")]
    after: Vec<u8>,
    #[prost(string, repeated, tag = "6")]
    types: Vec<String>,
    /// Each an [`Event`], whose bytes stay where they are until somebody wants it.
    #[prost(bytes = "bytes", repeated, tag = "7")]
    events: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(uint32, tag = "2")]
    type_index: u32,
    #[prost(string, tag = "3")]
    stream: String,
    #[prost(uint64, tag = "4")]
    version: u64,
    #[prost(int64, tag = "5")]
    time: i64,
    #[prost(bytes = "vec", tag = "6")]
    payload: Vec<u8>,
    #[prost(string, optional, tag = "7")]
    key: Option<String>,
    #[prost(string, optional, tag = "8")]
    correlation: Option<String>,
    #[prost(string, tag = "9")]
    causation: String,
    #[prost(string, tag = "10")]
    traceparent: String,
}

/// The part of an [`Event`] that is read of each.
#[derive(Clone, PartialEq, Message)]
struct Brief {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(uint32, tag = "2")]
    type_index: u32,
}

/// How many of the first events go out together where a message may have `max_payload` bytes; the first always does.
pub fn fitting(events: &[Recorded], max_payload: usize) -> usize {
    let (most, mut bytes) = (FRAME_BYTES.min(max_payload / 2), 0);
    let fits = |event: &&Recorded| {
        let first = bytes == 0;
        bytes += event.size();
        first || bytes <= most
    };
    events.iter().take_while(fits).count()
}

/// Writes events, which are a run of one partition, as a message; before the first comes the event `after`.
pub fn encode(context: &str, incarnation: Uuid, after: Option<Uuid>, events: &[Recorded]) -> Envelope {
    let (partition, first) = events.first().map(|first| (first.partition, first.position)).unwrap_or_default();
    let mut types: Vec<&str> = Vec::new();
    let mut encoded = Vec::with_capacity(events.len());
    for event in events {
        let index = types.iter().position(|known| *known == event.type_name).unwrap_or_else(|| {
            types.push(&event.type_name);
            types.len() - 1
        });
        encoded.push(event_of(event, u32::try_from(index).unwrap_or(u32::MAX)).encode_to_vec().into());
    }
    let body = Body {
        context: context.to_owned(),
        partition: partition.into(),
        log: incarnation.as_bytes().to_vec(),
        first,
        after: after.map(|after| after.as_bytes().to_vec()).unwrap_or_default(),
        types: types.into_iter().map(ToOwned::to_owned).collect(),
        events: encoded,
    };
    Envelope { subject: frame_subject(context, partition), body: body.encode_to_vec().into() }
}

fn event_of(event: &Recorded, type_index: u32) -> Event {
    let Metadata { correlation, causation, traceparent, partition_key } = &event.metadata;
    Event {
        id: event.id.as_bytes().to_vec(),
        type_index,
        stream: event.stream.as_str().to_owned(),
        version: event.version,
        time: i64::try_from(event.time.unix_timestamp_nanos() / 1_000).unwrap_or_default(),
        payload: event.payload.clone(),
        key: Some(partition_key).filter(|key| *key != event.stream.id()).cloned(),
        correlation: Some(correlation).filter(|correlation| *correlation != partition_key).cloned(),
        causation: causation.clone(),
        traceparent: traceparent.clone(),
    }
}

/// Reads a frame, which has to be of that partition of `context`'s log.
pub(super) fn decode(
    context: &str,
    partition: u16,
    body: Bytes,
    wanted: impl Fn(&str) -> bool,
) -> Result<Frame, Malformed> {
    // No frame of ours is larger, since no event is.
    if body.len() > LARGEST_EVENT {
        return Err(Malformed("it is too large"));
    }
    let body = Body::decode(body).map_err(|_| Malformed("it is no frame"))?;
    if body.context != context || body.partition != u32::from(partition) {
        return Err(Malformed("it is of another partition or context"));
    }
    let last = u64::try_from(body.events.len()).ok().and_then(|count| body.first.checked_add(count.checked_sub(1)?));
    if !(is_position(body.first) && last.is_some_and(is_position)) {
        return Err(Malformed("its positions cannot be"));
    }
    let types: Vec<_> = body.types.into_iter().map(|name| (wanted(&name), name)).collect();
    let entries = body.events.into_iter().zip(body.first..).map(|(event, position)| {
        let Brief { id, type_index } =
            Brief::decode(event.clone()).map_err(|_| Malformed("an event of it cannot be read"))?;
        let (is_wanted, name) = usize::try_from(type_index)
            .ok()
            .and_then(|index| types.get(index))
            .ok_or(Malformed("the type of an event is not told"))?;
        let id = uuid(&id)?;
        let event = if *is_wanted { Some(recorded(partition, position, id, name, event)?) } else { None };
        Ok(Entry { id, event })
    });
    Ok(Frame {
        incarnation: uuid(&body.log)?,
        first: body.first,
        after: if body.after.is_empty() { None } else { Some(uuid(&body.after)?) },
        entries: entries.collect::<Result<_, Malformed>>()?,
    })
}

fn recorded(partition: u16, position: u64, id: Uuid, type_name: &str, event: Bytes) -> Result<Recorded, Malformed> {
    let event = Event::decode(event).map_err(|_| Malformed("an event of it cannot be read"))?;
    let stream = StreamName::from(event.stream);
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(event.time) * 1_000);
    let partition_key = event.key.unwrap_or_else(|| stream.id().to_owned());
    Ok(Recorded {
        id,
        stream,
        version: event.version,
        partition,
        position,
        type_name: type_name.to_owned(),
        payload: event.payload,
        time: time.map_err(|_| Malformed("a time cannot be"))?,
        metadata: Metadata {
            correlation: event.correlation.unwrap_or_else(|| partition_key.clone()),
            causation: event.causation,
            traceparent: event.traceparent,
            partition_key,
        },
    })
}

fn uuid(bytes: &[u8]) -> Result<Uuid, Malformed> {
    Uuid::from_slice(bytes).map_err(|_| Malformed("an id is none"))
}

#[cfg(test)]
mod tests;
