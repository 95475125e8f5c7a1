//! What every request is answered with.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::methods::Methods;
use crate::refused::refusal_of;
use crate::room::Room;
use crate::who::Who;

/// Shared by all requests.
pub(crate) struct State {
    pub(crate) methods: Methods,
    pub(crate) who: Who,
    /// How much they may ask for.
    pub(crate) limits: Arc<Limits>,
    pub(crate) metadata: Metadata,
    /// What requests hold, and what answers do.
    pub(crate) room: Room,
    pub(crate) answers: Room,
    /// Cancelled when streams have to end.
    pub(crate) stop: CancellationToken,
}

/// Why a stream ends that is not over.
pub(crate) fn stopping() -> Status {
    refusal_of(Code::Unavailable, "SHUTTING_DOWN", "the gateway is shutting down; open the stream again")
}
