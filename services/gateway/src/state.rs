//! What every request is answered with.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::methods::Methods;
use crate::refused::refusal_of;
use crate::who::{Belief, Who};

/// Shared by all requests.
pub(crate) struct State {
    pub(crate) methods: Methods,
    pub(crate) who: Who,
    /// How much they may ask for.
    pub(crate) limits: Arc<Limits>,
    pub(crate) metadata: Metadata,
    /// The most bytes of JSON of one request.
    pub(crate) json: usize,
    /// Cancelled when streams have to end.
    pub(crate) stop: CancellationToken,
}

/// What ends a stream that is not over: that the gateway stops, or that whoever opened it is believed no longer.
#[derive(Clone)]
pub(crate) struct Limit {
    stop: CancellationToken,
    belief: Belief,
}

impl Limit {
    /// For as long as that is so, and until `stop` is cancelled.
    pub(crate) fn new(stop: &CancellationToken, belief: Belief) -> Self {
        Self { stop: stop.clone(), belief }
    }

    /// Why even whoever hears one message after another hears no more, where that is so.
    pub(crate) fn why_over(&self) -> Option<Status> {
        self.belief.why_over()
    }

    /// Waits for it, and tells why.
    pub(crate) async fn reached(self) -> Status {
        tokio::select! {
            () = self.stop.cancelled() => stopping(),
            why = self.belief.over() => why,
        }
    }
}

/// Why a stream ends that is not over.
fn stopping() -> Status {
    refusal_of(Code::Unavailable, "SHUTTING_DOWN", "the gateway is shutting down; open the stream again")
}
