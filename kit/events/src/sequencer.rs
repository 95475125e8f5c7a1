//! The sequencer: gives committed events their places in the log, on PostgreSQL.
//!
//! PostgreSQL commits in another order than it inserts, so a place that is given at insert can appear after a later one was
//! read, and is missed. One process at a time, the holder of a lease, moves what has been committed from the outbox into the
//! log, so that a late commit gets a later place. SQLite needs none of this and this code never runs there.

use std::sync::LazyLock;
use std::time::Duration;

use sea_orm::{DbBackend, Value};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use uuid::Uuid;

use crate::error::db;
use crate::lease::{BEAT, NOW, TTL, lasting};
use crate::sql::{EVENT_COLUMNS, recorded, signed, statement};
use crate::store::{changed, jitter, tell};
use crate::{Recorded, Store};

const LEASE: &str = "sequencer";
const BATCH: usize = 512;
const SOONEST: Duration = Duration::from_millis(5);
const LATEST: Duration = Duration::from_millis(400);
/// Ids that a transaction may have been overtaken by and still be found at once; one that was overtaken by more is found within
/// [`BEAT`]. To look further back every time would mean to pass over the remains of all rows that were moved since the last
/// vacuum.
const LATE: i64 = 256;

/// Renews the lease, and if it is still held takes the oldest outbox rows and writes them to the log behind the last position
/// of their partition.
///
/// One statement sees one snapshot, so it may not overlook what the holder before has written: taking the lease waits for that
/// one's last statement, which has locked the lease's row.
static MOVE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH held AS (
            UPDATE lease SET expires = {NOW} + $1 WHERE name = '{LEASE}' AND holder = $2 AND epoch = $3 RETURNING epoch),
        moved AS (
            DELETE FROM outbox WHERE id = ANY (ARRAY(
                SELECT id FROM outbox WHERE EXISTS (SELECT FROM held) AND id >= $4 ORDER BY id LIMIT {BATCH}))
            RETURNING id, partition, stream, version),
        heads AS MATERIALIZED (
            SELECT partition, COALESCE((SELECT MAX(position) FROM log WHERE log.partition = p.partition), 0) AS head
            FROM (SELECT DISTINCT partition FROM moved) p),
        written AS (
            INSERT INTO log (partition, position, stream, version)
            SELECT m.partition, h.head + ROW_NUMBER() OVER (PARTITION BY m.partition ORDER BY m.id), m.stream, m.version
            FROM moved m JOIN heads h ON h.partition = m.partition
            RETURNING partition, position, stream, version)
        SELECT (SELECT MAX(id) FROM moved) AS last, w.position AS position, {columns}
        FROM held LEFT JOIN (written w JOIN event e ON e.stream = w.stream AND e.version = w.version) ON TRUE
        ORDER BY w.partition, w.position",
        columns = EVENT_COLUMNS.split(", ").map(|column| format!("e.{column} AS {column}")).collect::<Vec<_>>().join(", ")
    )
});

/// What one batch was.
pub(crate) struct Moved {
    /// By partition and position.
    events: Vec<Recorded>,
    /// The highest id among them; 0 when there were none.
    last: i64,
}

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
                    let known = self.memory().epoch();
                    let ended = tokio::select! {
                        ended = self.sequence_while_leased(&holder, epoch, &stop) => ended,
                        () = changed(known) => Err(Error::unavailable("DATABASE_WAS_AWAY", "the database was away")),
                    };
                    if let Err(error) = ended {
                        tracing::warn!(%error, "sequencing failed, trying again");
                    }
                    for tail in self.tails() {
                        tail.forget();
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
        self.may_grow().await?;
        for (tail, head) in self.tails().iter().zip(self.heads().await?.positions) {
            tail.begin(head);
        }
        let mut outbox = self.signals().outbox.subscribe();
        let (mut woken, mut pause) = (true, SOONEST);
        let (mut last, mut looked) = (0, Instant::now());
        while !stop.is_cancelled() {
            outbox.mark_unchanged();
            let everywhere = looked.elapsed() >= BEAT || (!woken && self.outbox_has_rows().await?);
            if woken || everywhere {
                let from = if everywhere { 0 } else { last - LATE };
                let Some(moved) = self.move_batch(holder, epoch, TTL, from).await? else { return Ok(()) };
                last = last.max(moved.last);
                if everywhere {
                    looked = Instant::now();
                }
                let full = moved.events.len() == BATCH;
                if !moved.events.is_empty() {
                    pause = SOONEST;
                    self.placed(moved.events);
                }
                if full {
                    continue;
                }
            }
            woken = tokio::select! {
                () = stop.cancelled() => break,
                changed = outbox.changed() => changed.is_ok(),
                () = tokio::time::sleep(pause) => false,
            };
            pause = if woken { SOONEST } else { LATEST.min(pause * 2) };
        }
        Ok(())
    }

    async fn outbox_has_rows(&self) -> Result<bool, Error> {
        let look = statement(self.backend(), "SELECT 1 AS one FROM outbox ORDER BY id LIMIT 1", []);
        Ok(!self.read(look).await?.is_empty())
    }

    /// Renews the lease for `ttl` and moves one batch of rows whose id is `from` or more; `None` when the lease is lost.
    pub(crate) async fn move_batch(
        &self,
        holder: &str,
        epoch: u64,
        ttl: Duration,
        from: i64,
    ) -> Result<Option<Moved>, Error> {
        let values: [Value; 4] = [lasting(ttl), holder.into(), signed(epoch).into(), from.into()];
        let rows = self.write(statement(self.backend(), MOVE.as_str(), values)).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let last: Option<i64> = first.try_get("", "last").map_err(db)?;
        let events = match last {
            Some(_) => rows.iter().map(|row| recorded(row, true)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Some(Moved { events, last: last.unwrap_or_default() }))
    }

    /// Tells everybody in this process what is in the log now.
    fn placed(&self, events: Vec<Recorded>) {
        let mut events = events.into_iter().peekable();
        while let Some(partition) = events.peek().map(|event| event.partition) {
            let of_partition = std::iter::from_fn(|| events.next_if(|event| event.partition == partition));
            match self.tails().get(usize::from(partition)) {
                Some(tail) => tail.extend(of_partition),
                None => of_partition.for_each(drop),
            }
        }
        tell(&self.signals().log);
    }
}
