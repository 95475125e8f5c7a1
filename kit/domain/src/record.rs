//! What is stored: streams, events with their metadata, and pages of the log.

use std::fmt;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Aggregate, DecodeError, EventSet};

/// Names the stream of one aggregate's events: `<aggregate>-<id>`, e.g. `order-0190163d-8694-739b-aea5-966c26f8ad91`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(String);

impl StreamName {
    /// The stream of the `A` with this id.
    #[must_use]
    pub fn of<A: Aggregate>(id: &str) -> Self {
        Self(format!("{}-{id}", A::NAME))
    }

    /// The aggregate's name: what stands before the first hyphen.
    #[must_use]
    pub fn aggregate(&self) -> &str {
        self.0.split_once('-').map_or(self.0.as_str(), |(aggregate, _)| aggregate)
    }

    /// The aggregate's id: what stands after the first hyphen.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, id)| id)
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for StreamName {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl From<&str> for StreamName {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl AsRef<str> for StreamName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an event comes from and belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Names the whole story, e.g. the order's id.
    pub correlation: String,
    /// The id of the event that led to this one; empty when a request did.
    pub causation: String,
    /// The W3C trace context of the work that appended the event; empty when it was not traced.
    pub traceparent: String,
    /// What the event's partition was computed from.
    pub partition_key: String,
}

/// Bytes of the names of headers, of numbers, ids and times.
const ENVELOPE: usize = 1_024;

/// An event as it was stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Unique over all contexts.
    pub id: Uuid,
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Its place in the stream, from 1.
    pub version: u64,
    /// The log partition it belongs to.
    pub partition: u16,
    /// Its place in the log partition, from 1; 0 where it was not read from the log.
    pub position: u64,
    /// Full protobuf name.
    pub type_name: String,
    /// The protobuf message.
    pub payload: Vec<u8>,
    /// When it was appended.
    pub time: OffsetDateTime,
    /// Where it comes from.
    pub metadata: Metadata,
}

impl Recorded {
    /// The most bytes that it takes on its way, be that a message of the broker or a record of the log.
    #[must_use]
    pub fn size(&self) -> usize {
        let Metadata { correlation, causation, traceparent, partition_key } = &self.metadata;
        let texts = [self.stream.as_str(), &self.type_name, correlation, causation, traceparent, partition_key];
        // Some of them are sent twice.
        self.payload.len() + 2 * texts.iter().map(|text| text.len()).sum::<usize>() + ENVELOPE
    }
}

// A payload may hold what must never be logged.
impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("id", &self.id)
            .field("stream", &self.stream)
            .field("version", &self.version)
            .field("partition", &self.partition)
            .field("position", &self.position)
            .field("type_name", &self.type_name)
            .field("payload", &format_args!("[{} bytes]", self.payload.len()))
            .field("time", &self.time)
            .field("metadata", &self.metadata)
            .finish()
    }
}

/// An aggregate as its stream says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded<A> {
    /// The fold of its events.
    pub state: A,
    /// The version of its last event; 0 when the stream does not exist.
    pub version: u64,
    /// When its first event was appended; the epoch when the stream does not exist.
    pub created: OffsetDateTime,
    /// When its last event was appended; the epoch when the stream does not exist.
    pub updated: OffsetDateTime,
}

impl<A: Aggregate> Loaded<A> {
    /// Applies the event that follows; `false` for one that does not, which changes nothing.
    ///
    /// # Errors
    /// Those of decoding it.
    pub fn follow(&mut self, event: &Recorded) -> Result<bool, DecodeError> {
        if event.version != self.version + 1 {
            return Ok(false);
        }
        self.state.evolve(&A::Event::decode(&event.type_name, &event.payload)?);
        if self.version == 0 {
            self.created = event.time;
        }
        (self.version, self.updated) = (event.version, event.time);
        Ok(true)
    }
}

impl<A: Aggregate> Default for Loaded<A> {
    /// One that does not exist.
    fn default() -> Self {
        let never = OffsetDateTime::UNIX_EPOCH;
        Self { state: A::default(), version: 0, created: never, updated: never }
    }
}

/// A point in an aggregate's past, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After the event with this version.
    Version(u64),
    /// After the last event appended at or before this time.
    Time(OffsetDateTime),
}

/// A run of one log partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// The log's identity: another one is another log, whatever the positions say.
    pub incarnation: Uuid,
    /// The last position of the partition; 0 when it is empty.
    pub head: u64,
    /// How many partitions the log has.
    pub partitions: u16,
    /// The id of the event at the position after which the page was asked for; `None` where there is none, or it is not known.
    pub after: Option<Uuid>,
    /// Events with contiguous positions, in order.
    pub events: Vec<Recorded>,
}

/// How far the log has grown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads {
    /// The log's identity.
    pub incarnation: Uuid,
    /// The last position of each partition, by partition number; 0 when it is empty.
    pub positions: Vec<u64>,
}
