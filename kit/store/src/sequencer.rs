//! The sequencer: gives committed events their places in the log, on PostgreSQL.
//!
//! PostgreSQL commits in another order than it inserts, so a place that is given at insert can appear after a later one was
//! read, and is missed. One process at a time, the holder of a lease, moves what has been committed from the outbox into the
//! log, so that a late commit gets a later place. SQLite needs none of this and this code never runs there.

use std::sync::LazyLock;
use std::time::Duration;

use sea_orm::{DbBackend, Statement, Value};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_domain::request::PAGE_BYTES;
use tradewind_sql::{db, jitter, signed, statement};
use uuid::Uuid;

use crate::lease::{BEAT, NOW, TTL, lasting};
use crate::metrics::metrics;
use crate::rows::{EVENT_COLUMNS, recorded};
use crate::store::{LOG, OUTBOX, changed};
use crate::{Recorded, Store};

const LEASE: &str = "sequencer";
const BATCH: usize = 512;
/// Pings tell of what other replicas commit; this is the net.
const SOONEST: Duration = Duration::from_millis(50);
/// Far less than a lease lasts.
const LONGEST_REST: Duration = Duration::from_millis(20);
const LATEST: Duration = Duration::from_millis(400);
/// Ids that a transaction may have been overtaken by and still be found at once; one that was overtaken by more is found within
/// [`BEAT`], or as soon as an event that follows it waits for it. To look further back every time would mean to pass over the
/// remains of all rows that were moved since the last vacuum.
const LATE: i64 = 256;

/// Renews the lease, and if it is still held takes the oldest outbox rows and writes them to the log behind the last position
/// of their partition. What begins after a version that is neither in the log nor among the rows stays: no version is placed
/// before its predecessor.
///
/// A predecessor is looked up by a subquery that gives its version: `EXISTS` may be answered out of a hash of the whole table.
///
/// One statement sees one snapshot, so it may not overlook what the holder before has written: taking the lease waits for that
/// one's last statement, which has locked the lease's row.
static MOVE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH held AS (
            UPDATE lease SET expires = {NOW} + $1 WHERE name = '{LEASE}' AND holder = $2 AND epoch = $3 RETURNING epoch),
        seen AS MATERIALIZED (
            SELECT id, stream, version FROM outbox WHERE EXISTS (SELECT FROM held) AND id >= $4 ORDER BY id LIMIT {BATCH}),
        runs AS (
            SELECT id, stream, version, MIN(version) OVER run AS first, ROW_NUMBER() OVER run AS place
            FROM seen WINDOW run AS (PARTITION BY stream ORDER BY version)),
        ready AS (
            SELECT id, version = first + place - 1 AND BOOL_OR(place = 1 AND (version = 1 OR (
                    SELECT version FROM log WHERE log.stream = runs.stream AND log.version = runs.version - 1) IS NOT NULL))
                OVER (PARTITION BY stream ORDER BY version) AS follows
            FROM runs),
        moved AS (
            DELETE FROM outbox WHERE id = ANY (ARRAY(SELECT id FROM ready WHERE follows))
            RETURNING id, partition, stream, version),
        heads AS MATERIALIZED (
            SELECT partition, COALESCE((SELECT MAX(position) FROM log WHERE log.partition = p.partition), 0) AS head
            FROM (SELECT DISTINCT partition FROM moved) p),
        written AS (
            INSERT INTO log (partition, position, stream, version)
            SELECT m.partition, h.head + ROW_NUMBER() OVER (PARTITION BY m.partition ORDER BY m.id), m.stream, m.version
            FROM moved m JOIN heads h ON h.partition = m.partition
            RETURNING partition, position, stream, version)
        SELECT (SELECT MAX(id) FROM seen) AS last, (SELECT COUNT(*) FROM seen) AS seen, w.position AS position,
            SUM(LENGTH(e.payload)) OVER sofar <= {PAGE_BYTES} AS whole, {columns}
        FROM held LEFT JOIN (written w JOIN event e ON e.stream = w.stream AND e.version = w.version) ON TRUE
        WINDOW sofar AS (ORDER BY w.partition, w.position ROWS UNBOUNDED PRECEDING)
        ORDER BY w.partition, w.position",
        columns = EVENT_COLUMNS.split(", ").map(column).collect::<Vec<_>>().join(", ")
    )
});

/// A column of an event; payloads come along as long as all of them together are no more than a page.
fn column(name: &str) -> String {
    match name {
        "payload" => {
            format!("CASE WHEN SUM(LENGTH(e.payload)) OVER sofar <= {PAGE_BYTES} THEN e.payload ELSE '' END AS payload")
        }
        _ => format!("e.{name} AS {name}"),
    }
}

/// What one batch was.
pub(crate) struct Moved {
    /// By partition and position. Of the first of them, with their payloads, there is no more than a page.
    pub(crate) events: Vec<Recorded>,
    /// How many have their payloads.
    whole: usize,
    /// The highest id that was looked at; 0 when there was none.
    last: i64,
    /// How many rows were looked at.
    seen: usize,
}

impl Moved {
    /// Rows whose predecessor was neither in the log nor among them.
    fn waiting(&self) -> usize {
        self.seen - self.events.len()
    }
}

/// What came of all batches of one sweep.
#[derive(Default)]
struct Swept {
    last: i64,
    waiting: usize,
    moved: bool,
}

/// Events that follow nothing are no race: their predecessors are not in the database.
fn tell_waiting(waiting: usize) {
    metrics().log_gaps.record(u64::try_from(waiting).unwrap_or(u64::MAX), &[]);
    if waiting > 0 {
        tracing::error!(
            waiting,
            runbook = "docs/runbook.md#events-wait-for-their-predecessors",
            "events cannot enter the log: the versions before them are not in it"
        );
    }
}

/// [`MOVE`] with its values.
fn moving(backend: DbBackend, holder: &str, epoch: u64, ttl: Duration, from: i64) -> Statement {
    let values: [Value; 4] = [lasting(ttl), holder.into(), signed(epoch).into(), from.into()];
    statement(backend, MOVE.as_str(), values)
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
                    let mut known = self.epoch();
                    let ended = tokio::select! {
                        ended = self.sequence_while_leased(&holder, epoch, &stop) => ended,
                        () = changed(&mut known) => Err(Error::unavailable("DATABASE_WAS_AWAY", "the database was away")),
                    };
                    if let Err(error) = ended {
                        tracing::warn!(%error, "sequencing failed, trying again");
                    }
                    self.memory().forget_tails();
                    metrics().log_gaps.record(0, &[]);
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
        let mut outbox = self.subscribe(&OUTBOX);
        let (mut woken, mut pause) = (true, SOONEST);
        let (mut last, mut looked, mut waiting) = (0, Instant::now(), 0);
        while !stop.is_cancelled() {
            outbox.mark_unchanged();
            let everywhere = looked.elapsed() >= BEAT || (!woken && self.outbox_has_rows().await?);
            if woken || everywhere {
                let began = Instant::now();
                let from = if everywhere { 0 } else { last - LATE };
                let Some(mut swept) = self.sweep(holder, epoch, from, stop).await? else { return Ok(()) };
                if swept.waiting > 0 && !everywhere {
                    // What they wait for was overtaken by more than is looked back.
                    match self.sweep(holder, epoch, 0, stop).await? {
                        Some(again) => swept = Swept { moved: swept.moved || again.moved, ..again },
                        None => return Ok(()),
                    }
                }
                last = last.max(swept.last);
                if everywhere {
                    looked = Instant::now();
                    if swept.waiting != waiting {
                        waiting = swept.waiting;
                        tell_waiting(waiting);
                    }
                }
                if swept.moved {
                    pause = SOONEST;
                    // As long as it took: the busier the database, the more are moved at a time.
                    stop.run_until_cancelled(tokio::time::sleep(began.elapsed().min(LONGEST_REST))).await;
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

    /// Moves every row whose id is `from` or more that does not have to wait, a batch at a time, so that what waits holds up
    /// nothing else; `None` when the lease is lost.
    async fn sweep(
        &self,
        holder: &str,
        epoch: u64,
        mut from: i64,
        stop: &CancellationToken,
    ) -> Result<Option<Swept>, Error> {
        let mut swept = Swept::default();
        loop {
            let Some(moved) = self.move_batch(holder, epoch, TTL, from).await? else { return Ok(None) };
            swept.last = swept.last.max(moved.last);
            swept.waiting += moved.waiting();
            swept.moved |= !moved.events.is_empty();
            let full = moved.seen == BATCH;
            from = moved.last + 1;
            if !moved.events.is_empty() {
                self.placed(moved);
            }
            if !full || stop.is_cancelled() {
                return Ok(Some(swept));
            }
        }
    }

    async fn outbox_has_rows(&self) -> Result<bool, Error> {
        let look = statement(self.backend(), "SELECT 1 AS one FROM outbox ORDER BY id LIMIT 1", []);
        Ok(!self.vital(look).await?.is_empty())
    }

    /// Renews the lease for `ttl` and moves one batch of rows whose id is `from` or more; `None` when the lease is lost.
    pub(crate) async fn move_batch(
        &self,
        holder: &str,
        epoch: u64,
        ttl: Duration,
        from: i64,
    ) -> Result<Option<Moved>, Error> {
        let rows = self.vital(moving(self.backend(), holder, epoch, ttl, from)).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let last: Option<i64> = first.try_get("", "last").map_err(db)?;
        let seen: i64 = first.try_get("", "seen").map_err(db)?;
        let placed: Option<i64> = first.try_get("", "position").map_err(db)?;
        let events = match placed {
            Some(_) => rows.iter().map(|row| recorded(row, true)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        let seen = usize::try_from(seen).map_err(Error::internal)?;
        let whole = rows.iter().map_while(|row| row.try_get("", "whole").ok().filter(|whole| *whole)).count();
        Ok(Some(Moved { events, whole, last: last.unwrap_or_default(), seen }))
    }

    /// Tells everybody in this process what is in the log now.
    pub(crate) fn placed(&self, Moved { events, whole, .. }: Moved) {
        for (index, event) in events.into_iter().enumerate() {
            let Some(tail) = self.tails().get(usize::from(event.partition)) else { continue };
            if index < whole { tail.extend(event) } else { tail.pass_over(event.position) }
        }
        self.tell(&LOG);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::read_whole;

    #[test]
    fn what_it_places_is_found_by_its_key() {
        assert_eq!(read_whole(|backend| vec![moving(backend, "", 0, TTL, 0)]), Vec::<String>::new());
    }
}
