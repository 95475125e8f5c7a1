//! The published frames whose acknowledgements are awaited. Each lane has its own order, and none waits for another's.

use std::future::{IntoFuture, ready};

use async_nats::jetstream::context::PublishError;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tradewind_telemetry::Part;

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
    /// A frame is on its way, and so are its events, of which `parts` tell.
    pub(super) fn push<T>(
        &mut self,
        lane: usize,
        position: u64,
        events: usize,
        parts: Vec<Part>,
        acknowledgement: impl IntoFuture<Output = Result<T, PublishError>, IntoFuture: Send + 'static>,
    ) {
        let acknowledged = move |result: Result<_, _>| {
            if result.is_err() {
                parts.iter().for_each(|part| part.fails("unacknowledged"));
            }
            drop(parts);
            Acknowledged { lane, position, events, result: result.map(drop) }
        };
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

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[test]
    fn no_lane_waits_for_what_another_has_on_its_way() {
        let mut in_flight = InFlight::default();
        in_flight.push(0, 5, 2, Vec::new(), pending::<Result<(), _>>());
        in_flight.push(1, 3, 1, Vec::new(), ready(Ok(())));
        in_flight.push_done(2, 8, 1);
        let mut arrived: Vec<_> =
            std::iter::from_fn(|| in_flight.next_ready()).map(|it| (it.lane, it.position)).collect();
        arrived.sort_unstable();
        assert_eq!(arrived, [(1, 3), (2, 8)]);
        assert!(!in_flight.is_empty(), "the first is still on its way");
    }
}
