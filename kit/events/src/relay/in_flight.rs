//! The published frames whose acknowledgements are awaited, in the order of publication.

use std::collections::VecDeque;
use std::future::IntoFuture;

use async_nats::jetstream::context::{PublishAckFuture, PublishError};
use futures::FutureExt;
use futures::future::BoxFuture;

/// What became of one published frame.
pub(super) struct Acknowledged {
    pub(super) lane: usize,
    /// The last one in it.
    pub(super) position: u64,
    pub(super) events: usize,
    pub(super) result: Result<(), PublishError>,
}

struct Entry {
    lane: usize,
    position: u64,
    events: usize,
    acknowledgement: BoxFuture<'static, Result<(), PublishError>>,
}

/// The frames on their way.
#[derive(Default)]
pub(super) struct InFlight(VecDeque<Entry>);

impl InFlight {
    pub(super) fn push(&mut self, lane: usize, position: u64, events: usize, acknowledgement: PublishAckFuture) {
        let acknowledgement = acknowledgement.into_future().map(|result| result.map(drop)).boxed();
        self.0.push_back(Entry { lane, position, events, acknowledgement });
    }

    /// Takes the place of a frame that is not published.
    pub(super) fn push_done(&mut self, lane: usize, position: u64, events: usize) {
        self.0.push_back(Entry { lane, position, events, acknowledgement: std::future::ready(Ok(())).boxed() });
    }

    /// Waits for the oldest; for ever when there is none. Safe to cancel.
    pub(super) async fn next(&mut self) -> Acknowledged {
        let Some(entry) = self.0.front_mut() else { return std::future::pending().await };
        let (lane, position, events) = (entry.lane, entry.position, entry.events);
        let result = entry.acknowledgement.as_mut().await;
        self.0.pop_front();
        Acknowledged { lane, position, events, result }
    }

    /// The oldest, if it is there already.
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
