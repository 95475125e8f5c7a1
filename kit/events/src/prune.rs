//! Deleting what is no longer needed: stored responses that nobody repeats a request for any more.
//!
//! They go in small steps, each a transaction of its own, in one process at a time. Events and the log are never pruned; outbox
//! rows, fired timers and settled intents are deleted by whatever consumes them, so there are none to prune.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Value};
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_replicas::Members;
use tradewind_replicas::tenure::{self, Turn};
use tradewind_sql::{db, jitter, micros, statement};
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
            let pause = match prune_step(&store, retention, STEP).await {
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

/// Deletes up to `limit` responses older than `retention`, the oldest first; how many there were.
async fn prune_step(store: &Store, retention: Duration, limit: u64) -> Result<u64, Error> {
    let tx = store.begin().await?;
    let past = time::Duration::try_from(retention).ok().and_then(|retention| tx.now().checked_sub(retention));
    let Some(past) = past else { return Ok(0) };
    let skip_locked = if tx.backend() == DbBackend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
    let delete = format!(
        "DELETE FROM request WHERE (principal, method, request_id) IN (SELECT principal, method, request_id \
         FROM request WHERE time < $1 ORDER BY time LIMIT $2 {skip_locked})"
    );
    let values: [Value; 2] = [micros(past).into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    let done = tx.conn().execute_raw(statement(tx.backend(), delete, values)).await.map_err(db)?;
    tx.commit().await?;
    metrics().requests_pruned.add(done.rows_affected(), &[]);
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
    use tradewind_domain::request::RequestKey;
    use tradewind_store::Tx;
    use tradewind_testing::{Database, Stopped};

    use super::*;

    tradewind_testing::both_stores! {
        async fn only_responses_beyond_their_retention_are_pruned_a_step_at_a_time(database: Database) {
            let bank = Stopped::open(&database).await;
            let ask = async |id: u32, answer: u64| {
                let request = RequestKey::new("ann", "/bank/Open", &id.to_string(), &(), &()).unwrap();
                bank.store.once(request.as_ref(), async |_: &mut Tx| Ok::<_, Error>(answer)).await.unwrap().0
            };
            for id in 0..5 {
                ask(id, 1).await;
            }
            bank.pass(60);
            ask(5, 1).await;
            let prune = async |retention| prune_step(&bank.store, Duration::from_secs(retention), 3).await.unwrap();
            assert_eq!(prune(u64::MAX).await, 0);
            assert_eq!(prune(61).await, 0);
            assert_eq!(prune(30).await, 3);
            assert_eq!(prune(30).await, 2);
            assert_eq!(prune(30).await, 0);
            assert_eq!((ask(0, 2).await, ask(5, 2).await), (2, 1), "what is pruned is asked anew");
        }
    }
}
