//! Intents and timers as their workers see them: what is due, whose turn it is.

use sea_orm::{DbBackend, QueryResult, Value};
use time::OffsetDateTime;
use tradewind_domain::Error;

use super::Store;
use crate::error::{brief, db};
use crate::sql::{statement, unsigned};
use crate::times::{from_micros, micros};
use crate::{Metadata, roster};

/// An intent that this process may act on until its claim lapses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimedIntent {
    pub(crate) key: String,
    pub(crate) action: String,
    pub(crate) payload: Vec<u8>,
    /// Another one with every write of the intent: an outcome of an older one is dropped.
    pub(crate) generation: i64,
    /// How many attempts have failed.
    pub(crate) attempt: u32,
    pub(crate) cause: Metadata,
}

/// A timer whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DueTimer {
    pub(crate) key: String,
    pub(crate) due: OffsetDateTime,
    pub(crate) payload: Vec<u8>,
    pub(crate) cause: Metadata,
}

impl Store {
    /// Claims up to `limit` due intents of a kind until `until`, when they are due again; the longest due first.
    pub(crate) async fn claim_intents(
        &self,
        kind: &str,
        holder: &str,
        limit: usize,
        until: OffsetDateTime,
    ) -> Result<Vec<ClaimedIntent>, Error> {
        let skip_locked = if self.backend() == DbBackend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
        // Materialized, lest PostgreSQL runs the subquery once a row and claims more than the limit.
        let claim = format!(
            "WITH next AS MATERIALIZED (\
             SELECT key FROM intent WHERE kind = $3 AND due <= $4 ORDER BY due LIMIT $5 {skip_locked}) \
             UPDATE intent SET claimed_by = $1, claimed_until = $2, due = $2 \
             WHERE kind = $3 AND key IN (SELECT key FROM next) \
             RETURNING key, action, payload, generation, attempt, correlation, causation, traceparent"
        );
        let values: [Value; 5] = [
            holder.into(),
            micros(until).into(),
            kind.into(),
            micros(self.now()).into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ];
        let rows = self.write(statement(self.backend(), claim, values)).await?;
        rows.iter()
            .map(|row| {
                let attempt: i64 = row.try_get("", "attempt").map_err(db)?;
                Ok(ClaimedIntent {
                    key: row.try_get("", "key").map_err(db)?,
                    action: row.try_get("", "action").map_err(db)?,
                    payload: row.try_get("", "payload").map_err(db)?,
                    generation: row.try_get("", "generation").map_err(db)?,
                    attempt: u32::try_from(attempt).unwrap_or_default(),
                    cause: cause(row)?,
                })
            })
            .collect()
    }

    /// Gives a claimed intent back after its `attempt`th failure, to be claimed again at `due`. `false`: it is another one by
    /// now, or gone.
    pub(crate) async fn release_intent(
        &self,
        kind: &str,
        key: &str,
        generation: i64,
        attempt: u32,
        due: OffsetDateTime,
        error: &str,
    ) -> Result<bool, Error> {
        let release = "UPDATE intent SET claimed_by = NULL, claimed_until = NULL, attempt = $1, due = $2, \
             last_error = $3 WHERE kind = $4 AND key = $5 AND generation = $6 RETURNING key";
        let values: [Value; 6] = [
            i64::from(attempt).into(),
            micros(due).into(),
            brief(error).into(),
            kind.into(),
            key.into(),
            generation.into(),
        ];
        Ok(!self.write(statement(self.backend(), release, values)).await?.is_empty())
    }

    /// Gives back what a process of this name claimed in an earlier life.
    pub(crate) async fn reclaim_intents(&self, kind: &str, holder: &str) -> Result<(), Error> {
        let reclaim = "UPDATE intent SET claimed_by = NULL, claimed_until = NULL, due = $3 \
             WHERE kind = $1 AND claimed_by = $2";
        let values: [Value; 3] = [kind.into(), holder.into(), micros(self.now()).into()];
        self.write(statement(self.backend(), reclaim, values)).await.map(drop)
    }

    /// Gives back what processes have claimed that were killed, as the roster has it; how many there were. What a process holds
    /// that leaves the roster in good order it settles itself, or it lapses.
    pub(crate) async fn reclaim_orphaned_intents(&self, kind: &str) -> Result<u64, Error> {
        if self.backend() == DbBackend::Sqlite {
            return Ok(0);
        }
        let reclaim = format!(
            "UPDATE intent SET claimed_by = NULL, claimed_until = NULL, due = $2 WHERE kind = $1 AND key IN (\
             SELECT key FROM intent WHERE kind = $1 AND claimed_by IN ({}) FOR UPDATE SKIP LOCKED) \
             RETURNING key",
            roster::gone()
        );
        let values: [Value; 2] = [kind.into(), micros(self.now()).into()];
        let reclaimed = self.write(statement(self.backend(), reclaim, values)).await?;
        u64::try_from(reclaimed.len()).map_err(Error::internal)
    }

    /// How many intents of a kind there are.
    pub(crate) async fn open_intents(&self, kind: &str) -> Result<u64, Error> {
        let query = statement(self.backend(), "SELECT COUNT(*) AS open FROM intent WHERE kind = $1", [kind.into()]);
        let rows = self.read(query).await?;
        rows.first().map_or(Ok(0), |row| row.try_get("", "open").map(unsigned).map_err(db))
    }

    /// When the next intent of a kind can be claimed; `None` when there is none.
    pub(crate) async fn next_intent(&self, kind: &str) -> Result<Option<OffsetDateTime>, Error> {
        self.earliest("SELECT MIN(due) AS due FROM intent WHERE kind = $1", kind).await
    }

    /// Up to `limit` timers of a name that are due, the longest due first.
    pub(crate) async fn due_timers(&self, name: &str, limit: usize) -> Result<Vec<DueTimer>, Error> {
        let due = "SELECT key, due, payload, correlation, causation, traceparent FROM timer \
             WHERE name = $1 AND due <= $2 ORDER BY due LIMIT $3";
        let values: [Value; 3] =
            [name.into(), micros(self.now()).into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
        let rows = self.read(statement(self.backend(), due, values)).await?;
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
    pub(crate) async fn next_timer(&self, name: &str) -> Result<Option<OffsetDateTime>, Error> {
        self.earliest("SELECT MIN(due) AS due FROM timer WHERE name = $1", name).await
    }

    async fn earliest(&self, query: &str, name: &str) -> Result<Option<OffsetDateTime>, Error> {
        let query = statement(self.backend(), query, [name.into()]);
        let rows = self.read(query).await?;
        let due: Option<i64> = rows.first().map(|row| row.try_get("", "due")).transpose().map_err(db)?.flatten();
        Ok(due.map(from_micros))
    }
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
