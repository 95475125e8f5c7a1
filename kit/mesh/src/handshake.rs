//! Handshakes that failed, counted by gRPC's word and ours.

use std::sync::Arc;

pub(crate) use tradewind_workload::handshake::Failure;

use crate::metrics;

/// Counts one as seen from one end: `target` is whom a client wanted to reach.
pub(crate) fn failed(failure: &Failure, target: Option<&Arc<str>>) {
    metrics::handshaken(target, Some((failure.result(), failure.label())));
}
