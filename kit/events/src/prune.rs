//! Deleting what is no longer needed: stored responses that nobody repeats a request for any more.
//!
//! They go in small steps, each a transaction of its own, in one process at a time. Events and the log are never pruned; outbox
//! rows, fired timers and settled intents are deleted by whatever consumes them, so there are none to prune.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Value};
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;

use crate::error::db;
use crate::metrics::metrics;
use crate::roster::Members;
use crate::sql::statement;
use crate::store::jitter;
use crate::tenure::{self, Turn};
use crate::times::micros;
use crate::{Store, Tx};

const STEP: u64 = 500;
/// What others get between two steps.
const BETWEEN_STEPS: Duration = Duration::from_millis(200);
const EVERY: Duration = Duration::from_secs(60);

/// Deletes responses older than `retention` until `stop`.
pub(crate) async fn requests(
    store: Store,
    members: Members,
    retention: Duration,
    stop: CancellationToken,
) -> Result<(), Error> {
    let work = async |Turn { over, .. }| {
        while !over.is_cancelled() {
            let pause = match store.prune_requests(retention, STEP).await {
                Ok(STEP..) => BETWEEN_STEPS,
                Ok(_) => EVERY,
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

impl Store {
    /// Deletes up to `limit` responses older than `retention`, the oldest first; how many there were.
    pub(crate) async fn prune_requests(&self, retention: Duration, limit: u64) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        let deleted = tx.prune_requests(retention, limit).await?;
        tx.commit().await?;
        metrics().requests_pruned.add(deleted, &[]);
        Ok(deleted)
    }
}

impl Tx {
    async fn prune_requests(&mut self, retention: Duration, limit: u64) -> Result<u64, Error> {
        let past = time::Duration::try_from(retention).ok().and_then(|retention| self.now().checked_sub(retention));
        let Some(past) = past else { return Ok(0) };
        let skip_locked = if self.backend() == DbBackend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
        let delete = format!(
            "DELETE FROM request WHERE (principal, method, request_id) IN (SELECT principal, method, request_id \
             FROM request WHERE time < $1 ORDER BY time LIMIT $2 {skip_locked})"
        );
        let values: [Value; 2] = [micros(past).into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
        let done = self.conn().execute_raw(statement(self.backend(), delete, values)).await.map_err(db)?;
        Ok(done.rows_affected())
    }
}
