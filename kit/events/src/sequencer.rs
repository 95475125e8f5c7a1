//! The sequencer: gives committed events their places in the log, on PostgreSQL.
//!
//! PostgreSQL commits in another order than it inserts, so a place that is given at insert can appear after a later one was
//! read, and is missed. One process at a time, the holder of a lease, moves what has been committed from the outbox into the
//! log, so that a late commit gets a later place. SQLite needs none of this and this code never runs there.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Value};
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use uuid::Uuid;

use crate::Store;
use crate::error::db;
use crate::lease::{BEAT, TTL};
use crate::sql::statement;
use crate::store::{jitter, tell};

const LEASE: &str = "sequencer";
const BATCH: u64 = 512;
const SOONEST: Duration = Duration::from_millis(5);
const LATEST: Duration = Duration::from_millis(400);

/// Takes the oldest outbox rows and writes them to the log behind the last position of their partition.
const MOVE: &str = "WITH moved AS (
        DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT $1)
        RETURNING id, partition, stream, version),
    heads AS (
        SELECT partition, COALESCE((SELECT MAX(position) FROM log WHERE log.partition = p.partition), 0) AS head
        FROM (SELECT DISTINCT partition FROM moved) p)
    INSERT INTO log (partition, position, stream, version)
    SELECT m.partition, h.head + ROW_NUMBER() OVER (PARTITION BY m.partition ORDER BY m.id), m.stream, m.version
    FROM moved m JOIN heads h ON h.partition = m.partition";

impl Store {
    /// Gives committed events their places in the log, as long as this process holds the lease, until `stop`. Does nothing on
    /// SQLite. Errors are logged and tried again.
    ///
    /// # Errors
    /// None at present.
    pub async fn sequence(&self, stop: CancellationToken) -> Result<(), Error> {
        if self.backend() == DbBackend::Sqlite {
            stop.cancelled().await;
            return Ok(());
        }
        let holder = Uuid::new_v4().to_string();
        while !stop.is_cancelled() {
            match self.acquire_lease(LEASE, &holder, TTL).await {
                Ok(Some(epoch)) => {
                    tracing::debug!(epoch, "sequencing");
                    if let Err(error) = self.sequence_while_leased(&holder, epoch, &stop).await {
                        tracing::warn!(%error, "sequencing failed, trying again");
                    }
                    if stop.is_cancelled() {
                        if let Err(error) = self.release_lease(LEASE, &holder, epoch).await {
                            tracing::debug!(%error, "the sequencer's lease was not given back; it lapses");
                        }
                        return Ok(());
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "taking the sequencer's lease failed, trying again"),
            }
            stop.run_until_cancelled(tokio::time::sleep(BEAT / 2 + jitter(BEAT / 2))).await;
        }
        Ok(())
    }

    /// Returns when the lease is lost or `stop` is called.
    async fn sequence_while_leased(&self, holder: &str, epoch: u64, stop: &CancellationToken) -> Result<(), Error> {
        let mut outbox = self.signals().outbox.subscribe();
        let mut pause = SOONEST;
        let mut renewed = tokio::time::Instant::now();
        while !stop.is_cancelled() {
            outbox.mark_unchanged();
            let idle = !self.outbox_has_rows().await?;
            if idle && renewed.elapsed() < BEAT {
                tokio::select! {
                    () = stop.cancelled() => {}
                    _ = outbox.changed() => pause = SOONEST,
                    () = tokio::time::sleep(pause) => pause = (pause * 2).min(LATEST),
                }
                continue;
            }
            match self.move_batch(holder, epoch).await? {
                Some(0) => {}
                Some(_) => {
                    pause = SOONEST;
                    tell(&self.signals().log);
                }
                None => return Ok(()),
            }
            renewed = tokio::time::Instant::now();
        }
        Ok(())
    }

    async fn outbox_has_rows(&self) -> Result<bool, Error> {
        let look = statement(self.backend(), "SELECT 1 AS one FROM outbox LIMIT 1", []);
        Ok(self.reader().query_one_raw(look).await.map_err(db)?.is_some())
    }

    /// Moves one batch in a transaction that the lease's row guards; how many rows, or `None` when the lease is lost.
    async fn move_batch(&self, holder: &str, epoch: u64) -> Result<Option<u64>, Error> {
        let mut tx = self.begin().await?;
        if !tx.hold_lease(LEASE, holder, epoch, TTL).await? {
            return Ok(None);
        }
        let batch: [Value; 1] = [i64::try_from(BATCH).unwrap_or(i64::MAX).into()];
        let moved = tx.conn().execute_raw(statement(self.backend(), MOVE, batch)).await.map_err(db)?;
        tx.commit().await?;
        Ok(Some(moved.rows_affected()))
    }
}
