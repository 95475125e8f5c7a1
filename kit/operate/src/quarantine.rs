//! What readers could not handle, and an operator's ways out: look, replay in order, discard, and rehearse either.
//!
//! A stream is drained under the row lock of its reader's cursor, so that the reader can neither overtake what is parked nor
//! park what was just drained. How an event gets into quarantine must not be here.

mod act;
mod drain;
mod measure;
mod parked;
mod rows;

use std::sync::Arc;

use time::OffsetDateTime;
use tradewind_domain::{Error, ErrorKind};
use tradewind_events::{Logs, Reactions};
use tradewind_store::{Recorded, Store, StreamName};

pub use self::act::{Act, ActKind, ActOutcome, acts};
pub(super) use self::act::{audit, record};
pub use self::measure::measure_quarantine;
pub(super) use self::rows::{Amount, amounts_parked};

/// Names a stream in quarantine: whose it is, and for which consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedStream {
    /// Whose reader could not handle it.
    pub consumer: String,
    /// The context that owns it.
    pub source: String,
    /// The stream.
    pub stream: StreamName,
}

/// An event in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedEvent {
    /// The event as it was received.
    pub event: Recorded,
    /// Why it is here, stable for programs: the reason of its error, or `BEHIND_PARKED` where it only queues.
    pub reason: String,
    /// The error for people; empty where it only queues.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Since when it is here.
    pub since: OffsetDateTime,
}

/// A stream in quarantine at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedSummary {
    /// The stream.
    pub stream: ParkedStream,
    /// Its first event here, which everything else waits for.
    pub first: ParkedEvent,
    /// How many events queue behind the first.
    pub queued: u64,
}

/// What came of going through a stream in quarantine, or would come of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// The events that were tried, in order. Only the last one can have failed.
    pub events: Vec<Tried>,
    /// How many are left, a failed one included.
    pub left: u64,
}

/// One event of a stream in quarantine, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The event.
    pub event: Recorded,
    /// Whether its payload was read from its owner's log; otherwise it was the copy that is kept here.
    pub from_owner: bool,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an event in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its effects happened.
    Handled,
    /// It was given up.
    Discarded,
    /// It could not be handled.
    Failed(Error),
}

/// The quarantine of a service's consumers. Cheap to clone.
#[derive(Clone)]
pub struct Quarantine {
    store: Store,
    logs: Logs,
    reactions: Arc<[Arc<Reactions>]>,
}

impl Quarantine {
    /// The quarantine of these consumers; `logs` are where their sources are read.
    #[must_use]
    pub fn new(store: Store, logs: Logs, reactions: Arc<[Arc<Reactions>]>) -> Self {
        Self { store, logs, reactions }
    }

    /// Up to `limit` streams that follow `after`, by consumer, source and name.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn streams(&self, after: Option<&ParkedStream>, limit: usize) -> Result<Vec<ParkedSummary>, Error> {
        rows::summaries(&self.store, after, None, limit).await
    }

    /// Up to `limit` streams that are about a key, by consumer, source and name.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn streams_about(&self, key: &str, limit: usize) -> Result<Vec<ParkedSummary>, Error> {
        rows::summaries(&self.store, None, Some(key), limit).await
    }

    /// Up to `limit` parked events of a stream that follow the position `after`, in order.
    ///
    /// # Errors
    /// `NotFound` with reason `NOT_PARKED` when there is none at all.
    pub async fn events(&self, stream: &ParkedStream, after: u64, limit: usize) -> Result<Vec<ParkedEvent>, Error> {
        let events = rows::events(&self.store, stream, after, limit).await?;
        if events.is_empty() && rows::count(&self.store, stream).await? == 0 {
            return Err(not_parked(stream));
        }
        Ok(events)
    }

    /// How many events of a stream are parked.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn count(&self, stream: &ParkedStream) -> Result<u64, Error> {
        rows::count(&self.store, stream).await
    }

    fn reactions_of(&self, consumer: &str) -> Result<&Reactions, Error> {
        let known = self.reactions.iter().find(|reactions| reactions.consumer() == consumer);
        known.map(AsRef::as_ref).ok_or_else(|| consumer_unknown(consumer))
    }
}

/// Why what is asked of a consumer is not done: a service has none of that name.
pub const CONSUMER_UNKNOWN: &str = "CONSUMER_UNKNOWN";

/// A service has no such consumer.
pub(super) fn consumer_unknown(consumer: &str) -> Error {
    Error::new(ErrorKind::NotFound, CONSUMER_UNKNOWN, format!("there is no consumer {consumer:?} here"))
}

fn not_parked(ParkedStream { consumer, source, stream }: &ParkedStream) -> Error {
    let text = format!("nothing of {stream} of {source} is in quarantine for {consumer}");
    Error::new(ErrorKind::NotFound, "NOT_PARKED", text)
}

/// Only the first event of a stream may be given up: what follows it has not been tried.
fn position_mismatch(first: u64, position: u64) -> Error {
    let text = format!("the first event in quarantine is at position {first}, not at {position}");
    Error::new(ErrorKind::Rejected, "POSITION_MISMATCH", text).with("position", first.to_string())
}
