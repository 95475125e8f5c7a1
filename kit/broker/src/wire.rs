//! How events look on the broker, and what everything there is called.
//!
//! Events travel in frames: a message carries a run of contiguous positions of one partition, see `frame`. Builds before
//! sent an event a message, see `alone`; what they have sent is still read. Whoever is outside reads others, see `public`. Nothing
//! here talks to a broker.

mod alone;
mod frame;
mod public;

use async_nats::HeaderMap;
use bytes::Bytes;
use tradewind_store::Recorded;
use uuid::Uuid;

pub use frame::{Envelope, encode, fitting};
pub use public::{Public, public, public_stream, public_subjects, reader_inbox};

/// A run of contiguous positions of one partition, as it was received.
#[derive(Debug)]
pub struct Frame {
    /// The log it is of.
    pub incarnation: Uuid,
    /// The position of the first event.
    pub first: u64,
    /// The id of the event before the first; `None` where the message does not tell.
    pub after: Option<Uuid>,
    /// One at least.
    pub entries: Vec<Entry>,
}

/// What a frame holds at a position.
#[derive(Debug)]
pub struct Entry {
    pub id: Uuid,
    /// `None` for an event that the reader does not want.
    pub event: Option<Recorded>,
}

impl Frame {
    /// The position of the last event.
    pub fn last(&self) -> u64 {
        let further = u64::try_from(self.entries.len()).unwrap_or_default().saturating_sub(1);
        self.first.saturating_add(further)
    }

    /// The id of the last event.
    pub fn last_id(&self) -> Option<Uuid> {
        self.entries.last().map(|entry| entry.id)
    }
}

/// Why a message holds no events of a log: what is wrong with it, or the header.
#[derive(Debug, thiserror::Error)]
#[error("the message holds no events of this log: {0}")]
pub struct Malformed(&'static str);

/// Reads a message of a partition of `context`'s log; of the events only those of `wanted` types are decoded.
pub fn read(
    context: &str,
    partition: u16,
    headers: Option<&HeaderMap>,
    body: &Bytes,
    wanted: impl Fn(&str) -> bool,
) -> Result<Frame, Malformed> {
    match headers.filter(|headers| alone::is_alone(headers)) {
        Some(headers) => alone::decode(partition, headers, body, wanted),
        None => frame::decode(context, partition, body.clone(), wanted),
    }
}

/// Whether an event of a log can be at this position; a database counts no further.
fn is_position(position: u64) -> bool {
    i64::try_from(position).is_ok_and(|position| position > 0)
}

/// The JetStream stream that holds the events of `context`.
pub fn stream_name(context: &str) -> String {
    format!("TW_{}", token(context).to_uppercase())
}

/// Every subject of `context`.
pub fn subjects(context: &str) -> String {
    format!("tw.{}.>", token(context))
}

/// Where the frames of one partition of `context` go.
fn frame_subject(context: &str, partition: u16) -> String {
    format!("tw.{}.{partition}.frame", token(context))
}

/// Every subject of one partition of `context`.
pub fn partition_subjects(context: &str, partition: u16) -> String {
    format!("tw.{}.{partition}.>", token(context))
}

/// Where a context tells how far its log reaches.
pub fn head_subject(context: &str) -> String {
    format!("tw.head.{}", token(context))
}

/// Where the replicas of a context wake one another.
pub fn wake_subject(context: &str) -> String {
    format!("tw.wake.{}", token(context))
}

/// The durable consumer of one partition: no other reader's, because it begins with the reader's name.
pub fn consumer_name(reader: &str, partition: u16) -> String {
    format!("{}-{partition}", token(reader))
}

/// The stream that holds what the replicas of a service at the edge tell each other: NATS' name for that of a key-value bucket.
pub fn board_stream(service: &str) -> String {
    format!("KV_{}", stream_name(service))
}

/// Where a replica of a service at the edge tells the others something: its key in the bucket.
pub fn board_subject(service: &str, replica: &str) -> String {
    format!("$KV.{}.{}", stream_name(service), token(replica))
}

/// Every key of the bucket.
pub fn board_subjects(service: &str) -> String {
    format!("$KV.{}.>", stream_name(service))
}

/// What the subjects of all replies to a client begin with.
pub fn inbox(client: &str) -> String {
    format!("_INBOX.{}", token(client))
}

/// `text` as one token of a subject or a name of the broker's: anything that has a meaning there becomes `_`.
pub fn token(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    if text.is_empty() { "_".to_owned() } else { text.chars().map(plain).collect() }
}
