//! How many calls of one peer are under way at once, so that one that hangs doesn't take this process with it. More wait in a
//! queue that has an end as well; streams, which last, have places of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Code;

use super::call::{Answer, Call, Failure, Sends};
use super::status::Bulkhead as Status;
use crate::status::{self, Layer};

/// Unary calls at once, and those that wait for one of them to end.
const CALLS: usize = 1_024;
const QUEUE: usize = 4_096;
/// Streams at once.
const STREAMS: usize = 8_192;

/// The layer.
pub(super) struct Bulkhead<S> {
    below: S,
    places: Arc<Places>,
}

/// What a bulkhead counts.
pub(super) struct Places {
    calls: Semaphore,
    streams: Arc<Semaphore>,
    queued: AtomicUsize,
}

impl Default for Places {
    fn default() -> Self {
        let (calls, streams) = (Semaphore::new(CALLS), Arc::new(Semaphore::new(STREAMS)));
        Self { calls, streams, queued: AtomicUsize::new(0) }
    }
}

impl Places {
    /// Unary calls under way, and those that wait.
    pub(super) fn used(&self) -> (usize, usize) {
        (CALLS - self.calls.available_permits(), self.queued.load(Ordering::Relaxed))
    }

    /// The places for unary calls, and those for streams.
    pub(super) fn status(&self) -> [Status; 2] {
        let (used, queued) = self.used();
        let streams = STREAMS - self.streams.available_permits();
        [
            Status { used, limit: CALLS, queued, queue_limit: QUEUE },
            Status { used: streams, limit: STREAMS, queued: 0, queue_limit: 0 },
        ]
    }
}

/// A place in the queue, until it is dropped.
struct Queued<'a>(&'a AtomicUsize);

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S> Bulkhead<S> {
    pub(super) const fn over(below: S, places: Arc<Places>) -> Self {
        Self { below, places }
    }
}

impl Places {
    async fn enter(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Failure> {
        if let Ok(place) = self.calls.try_acquire() {
            return Ok(place);
        }
        let queued = self.queued.fetch_add(1, Ordering::Relaxed);
        let _queued = Queued(&self.queued);
        if queued >= QUEUE {
            return Err(full(CALLS + QUEUE));
        }
        self.calls.acquire().await.map_err(|_| full(0))
    }

    fn open(&self) -> Result<OwnedSemaphorePermit, Failure> {
        self.streams.clone().try_acquire_owned().map_err(|_| full(STREAMS))
    }
}

fn full(limit: usize) -> Failure {
    let limit = limit.to_string();
    let message = "as many calls of this peer are under way and waiting as may be";
    Failure::kept(status::refusal(
        Layer::Bulkhead,
        Code::ResourceExhausted,
        "BULKHEAD_FULL",
        message,
        [("limit", limit.as_str())],
    ))
}

impl<S: Sends> Sends for Bulkhead<S> {
    async fn send(&self, call: Box<Call>) -> Result<Answer, Failure> {
        if call.answer_streams() {
            let place = self.places.open()?;
            let mut answer = self.below.send(call).await?;
            answer.held = Some(place);
            return Ok(answer);
        }
        let _place = self.places.enter().await?;
        self.below.send(call).await
    }
}
