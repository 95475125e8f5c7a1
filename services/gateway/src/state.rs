//! What every request is answered with.

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::methods::Methods;
use crate::refused::refusal_of;
use crate::who::Who;

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

/// What ends a stream that is not over: that the gateway stops, or that the token it began with does.
#[derive(Clone)]
pub(crate) struct Limit {
    stop: CancellationToken,
    until: Option<Instant>,
}

impl Limit {
    /// Until then, where that is known, and until `stop` is cancelled.
    pub(crate) fn new(stop: &CancellationToken, until: Option<Instant>) -> Self {
        Self { stop: stop.clone(), until }
    }

    /// Whether its token is over: even whoever hears one message after another hears no more.
    pub(crate) fn is_expired(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Waits for it, and tells why.
    pub(crate) async fn reached(self) -> Status {
        let over = async {
            match self.until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.stop.cancelled() => stopping(),
            () = over => expired(),
        }
    }
}

/// Why a stream ends that is not over.
fn stopping() -> Status {
    refusal_of(Code::Unavailable, "SHUTTING_DOWN", "the gateway is shutting down; open the stream again")
}

/// Why a stream ends whose caller has to say anew who it is.
pub(crate) fn expired() -> Status {
    let text = "the token with which the stream was opened is over; open it again with another";
    refusal_of(Code::Unauthenticated, "TOKEN_EXPIRED", text)
}
