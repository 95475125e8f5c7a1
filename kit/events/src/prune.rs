//! Deleting what is no longer needed: stored responses that nobody repeats a request for any more.
//!
//! They go in small steps, each a transaction of its own, in one process at a time. Events and the log are never pruned; outbox
//! rows, fired timers and settled intents are deleted by whatever consumes them, so there are none to prune.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_replicas::Members;
use tradewind_replicas::tenure::{self, Turn};
use tradewind_sql::jitter;
use tradewind_store::Store;

use crate::metrics::metrics;

const STEP: u64 = 500;
/// What others get between two steps.
const BETWEEN_STEPS: Duration = Duration::from_millis(200);
const EVERY: Duration = Duration::from_secs(60);

/// Deletes responses older than `retention` until `stop`.
pub async fn prune_requests(
    store: Store,
    members: Members,
    retention: Duration,
    stop: CancellationToken,
) -> Result<(), Error> {
    let work = async |Turn { over, .. }| {
        while !over.is_cancelled() {
            let pause = match store.forget_requests(retention, STEP).await {
                Ok(deleted) => {
                    metrics().requests_pruned.add(deleted, &[]);
                    if deleted < STEP { EVERY } else { BETWEEN_STEPS }
                }
                Err(error) => {
                    tracing::warn!(%error, "old responses were not deleted; it is tried again");
                    EVERY
                }
            };
            over.run_until_cancelled(tokio::time::sleep(pause / 2 + jitter(pause / 2))).await;
        }
        Ok(())
    };
    tenure::hold(&members, "prune/request", &stop, work).await
}
