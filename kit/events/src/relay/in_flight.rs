//! The published frames whose acknowledgements are awaited. Each lane has its own order, and none waits for another's.

use std::future::{IntoFuture, ready};

use async_nats::jetstream::context::{PublishAckFuture, PublishError};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

/// What became of one published frame.
pub(super) struct Acknowledged {
    pub(super) lane: usize,
    /// The last one in it.
    pub(super) position: u64,
    pub(super) events: usize,
    pub(super) result: Result<(), PublishError>,
}

/// The frames on their way.
#[derive(Default)]
pub(super) struct InFlight(FuturesUnordered<BoxFuture<'static, Acknowledged>>);

impl InFlight {
    pub(super) fn push(&mut self, lane: usize, position: u64, events: usize, acknowledgement: PublishAckFuture) {
        let acknowledged =
            move |result: Result<_, _>| Acknowledged { lane, position, events, result: result.map(drop) };
        self.0.push(acknowledgement.into_future().map(acknowledged).boxed());
    }

    /// Takes the place of a frame that is not published.
    pub(super) fn push_done(&mut self, lane: usize, position: u64, events: usize) {
        self.0.push(ready(Acknowledged { lane, position, events, result: Ok(()) }).boxed());
    }

    /// Waits for the first that is acknowledged; for ever when there is none. Safe to cancel.
    pub(super) async fn next(&mut self) -> Acknowledged {
        match self.0.next().await {
            Some(acknowledged) => acknowledged,
            None => std::future::pending().await,
        }
    }

    /// One that is acknowledged already.
    pub(super) fn next_ready(&mut self) -> Option<Acknowledged> {
        self.next().now_or_never()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
