//! Handshakes that failed, counted by gRPC's word and ours, and how long one that did not is worth.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::UnixTime;
use tokio::time::Instant;

pub(crate) use tradewind_workload::handshake::Failure;

use crate::{Leaf, metrics};

/// Longer than any connection lives.
const LONG: Duration = Duration::from_secs(86_400);
/// How long after its certificate has expired a connection is closed.
pub(crate) const EXPIRY_GRACE: Duration = Duration::from_secs(1);

/// Counts one as seen from one end: `target` is whom a client wanted to reach.
pub(crate) fn failed(failure: &Failure, target: Option<&Arc<str>>) {
    metrics::handshaken(target, Some((failure.result(), failure.label())));
}

/// Until when a connection is whose it is that was opened now with a peer of this certificate.
pub(crate) fn expires(leaf: &Leaf) -> Instant {
    let now = i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX);
    // A certificate is good for the whole of its last second.
    let left = u64::try_from(leaf.not_after.saturating_sub(now).saturating_add(1)).unwrap_or(0);
    Instant::now() + Duration::from_secs(left).min(LONG)
}
