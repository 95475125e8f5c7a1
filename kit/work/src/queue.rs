//! Intents and timers as their workers see them: what is due, whose turn it is.

use std::fmt;

use sea_orm::sea_query::PostgresQueryBuilder;
use sea_orm::{DbBackend, QueryResult, Value};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_replicas::gone;
use tradewind_sql::{brief, db, from_micros, micros, statement, unsigned};
use tradewind_store::{Metadata, Store};

/// A call owed to the outside.
#[derive(Clone, PartialEq, Eq)]
pub struct Intent {
    /// What it is about, e.g. the order's id.
    pub key: String,
    /// What to do about it, e.g. `charge` or `void`.
    pub action: String,
    /// What the handler needs to know.
    pub payload: Vec<u8>,
    /// Another one with every write of the intent.
    pub generation: i64,
    /// How many attempts have failed.
    pub attempt: u32,
    /// What led to it.
    pub cause: Metadata,
}

// A payload may hold what must never be logged.
impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intent")
            .field("key", &self.key)
            .field("action", &self.action)
            .field("payload", &format_args!("[{} bytes]", self.payload.len()))
            .field("generation", &self.generation)
            .field("attempt", &self.attempt)
            .field("cause", &self.cause)
            .finish()
    }
}

/// A timer whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DueTimer {
    pub(super) key: String,
    pub(super) due: OffsetDateTime,
    pub(super) payload: Vec<u8>,
    pub(super) cause: Metadata,
}

/// Up to `limit` due intents of a kind, claimed or not; the longest due first.
pub(super) async fn due_intents(store: &Store, kind: &str, limit: usize) -> Result<Vec<Intent>, Error> {
    let due = format!("SELECT {INTENT} FROM intent WHERE kind = $1 AND due <= $2 ORDER BY due LIMIT $3");
    let values: [Value; 3] = [kind.into(), micros(store.now()).into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    store.read(statement(store.backend(), due, values)).await?.iter().map(intent).collect()
}

/// Claims up to `limit` due intents of a kind until `until`, when they are due again; the longest due first.
pub(super) async fn claim_intents(
    store: &Store,
    kind: &str,
    holder: &str,
    limit: usize,
    until: OffsetDateTime,
) -> Result<Vec<Intent>, Error> {
    let skip_locked = if store.backend() == DbBackend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
    // Materialized, lest PostgreSQL runs the subquery once a row and claims more than the limit.
    let claim = format!(
        "WITH next AS MATERIALIZED (\
         SELECT key FROM intent WHERE kind = $3 AND due <= $4 ORDER BY due LIMIT $5 {skip_locked}) \
         UPDATE intent SET claimed_by = $1, claimed_until = $2, due = $2 \
         WHERE kind = $3 AND key IN (SELECT key FROM next) RETURNING {INTENT}"
    );
    let values: [Value; 5] = [
        holder.into(),
        micros(until).into(),
        kind.into(),
        micros(store.now()).into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    store.write(statement(store.backend(), claim, values)).await?.iter().map(intent).collect()
}

/// The columns that make an [`Intent`].
const INTENT: &str = "key, action, payload, generation, attempt, correlation, causation, traceparent";

fn intent(row: &QueryResult) -> Result<Intent, Error> {
    let attempt: i64 = row.try_get("", "attempt").map_err(db)?;
    Ok(Intent {
        key: row.try_get("", "key").map_err(db)?,
        action: row.try_get("", "action").map_err(db)?,
        payload: row.try_get("", "payload").map_err(db)?,
        generation: row.try_get("", "generation").map_err(db)?,
        attempt: u32::try_from(attempt).unwrap_or_default(),
        cause: cause(row)?,
    })
}

/// Gives an intent back after one failure more, to be called again at `due`. `false`: it is another one by now, or gone.
pub(super) async fn release_intent(
    store: &Store,
    kind: &str,
    intent: &Intent,
    due: OffsetDateTime,
    error: &str,
) -> Result<bool, Error> {
    let release = "UPDATE intent SET claimed_by = NULL, claimed_until = NULL, attempt = $1, due = $2, \
         last_error = $3 WHERE kind = $4 AND key = $5 AND generation = $6 RETURNING key";
    let values: [Value; 6] = [
        i64::from(intent.attempt.saturating_add(1)).into(),
        micros(due).into(),
        brief(error).into(),
        kind.into(),
        intent.key.as_str().into(),
        intent.generation.into(),
    ];
    Ok(!store.write(statement(store.backend(), release, values)).await?.is_empty())
}

/// Gives back what a process of this name claimed in an earlier life.
pub(super) async fn reclaim_intents(store: &Store, kind: &str, holder: &str) -> Result<(), Error> {
    let reclaim = "UPDATE intent SET claimed_by = NULL, claimed_until = NULL, due = $3 \
         WHERE kind = $1 AND claimed_by = $2";
    let values: [Value; 3] = [kind.into(), holder.into(), micros(store.now()).into()];
    store.write(statement(store.backend(), reclaim, values)).await.map(drop)
}

/// Gives back what processes have claimed that were killed, as the roster has it; how many there were. What a process holds
/// that leaves the roster in good order it settles itself, or it lapses.
pub(super) async fn reclaim_orphaned_intents(store: &Store, kind: &str) -> Result<u64, Error> {
    if !store.is_shared() {
        return Ok(0);
    }
    let reclaim = format!(
        "UPDATE intent SET claimed_by = NULL, claimed_until = NULL, due = $2 WHERE kind = $1 AND key IN (\
         SELECT key FROM intent WHERE kind = $1 AND claimed_by IN ({}) FOR UPDATE SKIP LOCKED) \
         RETURNING key",
        gone().to_string(PostgresQueryBuilder)
    );
    let values: [Value; 2] = [kind.into(), micros(store.now()).into()];
    let reclaimed = store.write(statement(store.backend(), reclaim, values)).await?;
    u64::try_from(reclaimed.len()).map_err(Error::internal)
}

/// How many intents of a kind there are.
pub(super) async fn open_intents(store: &Store, kind: &str) -> Result<u64, Error> {
    let query = statement(store.backend(), "SELECT COUNT(*) AS open FROM intent WHERE kind = $1", [kind.into()]);
    let rows = store.read(query).await?;
    rows.first().map_or(Ok(0), |row| row.try_get("", "open").map(unsigned).map_err(db))
}

/// How many claims are written down.
#[cfg(test)]
pub(super) async fn written_claims(store: &Store) -> Result<usize, Error> {
    let claims = statement(store.backend(), "SELECT key FROM intent WHERE claimed_by IS NOT NULL", []);
    store.read(claims).await.map(|rows| rows.len())
}

/// Up to `limit` timers of a name that are due, the longest due first.
pub(super) async fn due_timers(store: &Store, name: &str, limit: usize) -> Result<Vec<DueTimer>, Error> {
    let due = "SELECT key, due, payload, correlation, causation, traceparent FROM timer \
         WHERE name = $1 AND due <= $2 ORDER BY due LIMIT $3";
    let values: [Value; 3] = [name.into(), micros(store.now()).into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    let rows = store.read(statement(store.backend(), due, values)).await?;
    rows.iter()
        .map(|row| {
            Ok(DueTimer {
                key: row.try_get("", "key").map_err(db)?,
                due: from_micros(row.try_get("", "due").map_err(db)?),
                payload: row.try_get("", "payload").map_err(db)?,
                cause: cause(row)?,
            })
        })
        .collect()
}

/// When the next timer of a name is due; `None` when there is none.
pub(super) async fn next_timer(store: &Store, name: &str) -> Result<Option<OffsetDateTime>, Error> {
    let query = statement(store.backend(), "SELECT MIN(due) AS due FROM timer WHERE name = $1", [name.into()]);
    let rows = store.read(query).await?;
    let due: Option<i64> = rows.first().map(|row| row.try_get("", "due")).transpose().map_err(db)?.flatten();
    Ok(due.map(from_micros))
}

fn cause(row: &QueryResult) -> Result<Metadata, Error> {
    let correlation: String = row.try_get("", "correlation").map_err(db)?;
    Ok(Metadata {
        partition_key: String::new(),
        causation: row.try_get("", "causation").map_err(db)?,
        traceparent: row.try_get("", "traceparent").map_err(db)?,
        correlation,
    })
}
