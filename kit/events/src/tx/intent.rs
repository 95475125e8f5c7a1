//! Intents, which a worker will carry out, and timers, which will fire.

use std::collections::HashSet;
use std::fmt;

use sea_orm::{ConnectionTrait, Value};
use time::OffsetDateTime;
use tradewind_domain::Error;
use uuid::Uuid;

use super::Tx;
use super::pending::{PendingIntent, PendingTimer};
use crate::error::db;
use crate::sql::{batches, statement};
use crate::times::micros;

/// Something to be done outside, once this transaction is committed.
#[derive(Clone, PartialEq, Eq)]
pub struct NewIntent {
    /// Which worker carries it out.
    pub kind: &'static str,
    /// What it concerns, e.g. the order id; one intent a kind and key.
    pub key: String,
    /// What is to be done.
    pub action: String,
    /// What is needed to do it.
    pub payload: Vec<u8>,
}

// A payload may hold what must never be logged.
impl fmt::Debug for NewIntent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewIntent")
            .field("kind", &self.kind)
            .field("key", &self.key)
            .field("action", &self.action)
            .field("payload", &format_args!("[{} bytes]", self.payload.len()))
            .finish()
    }
}

impl Tx {
    /// Writes an intent, due at once. One with the same kind and key is replaced, and what comes of it is dropped.
    ///
    /// # Errors
    /// None here.
    pub async fn intend(&mut self, intent: NewIntent) -> Result<(), Error> {
        let cause = self.cause(&intent.key);
        let kept = PendingIntent { generation: fresh_generation(), cause, intent };
        self.told.intents.insert(kept.intent.kind.to_owned());
        self.pending.intents.insert((kept.intent.kind, kept.intent.key.clone()), kept);
        Ok(())
    }

    /// Takes an intent back; `false` when there is none. What comes of an attempt that is under way is dropped.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn withdraw(&mut self, kind: &str, key: &str) -> Result<bool, Error> {
        let kept = self.pending.intents.len();
        self.pending.intents.retain(|(kept_kind, kept_key), _| *kept_kind != kind || kept_key != key);
        let unwritten = self.pending.intents.len() < kept;
        let values: [Value; 2] = [kind.into(), key.into()];
        let written = self.delete("DELETE FROM intent WHERE kind = $1 AND key = $2", values).await?;
        Ok(unwritten || written)
    }

    /// Sets a timer; one with the same name and key is replaced.
    ///
    /// # Errors
    /// None here.
    pub async fn schedule(
        &mut self,
        name: &str,
        key: &str,
        due: OffsetDateTime,
        payload: Vec<u8>,
    ) -> Result<(), Error> {
        let cause = self.cause(key);
        self.told.timers.insert(name.to_owned());
        self.pending.timers.insert((name.to_owned(), key.to_owned()), Some(PendingTimer { due, payload, cause }));
        Ok(())
    }

    /// Cancels a timer, if there is one.
    ///
    /// # Errors
    /// None here.
    pub async fn cancel_timer(&mut self, name: &str, key: &str) -> Result<(), Error> {
        self.pending.timers.insert((name.to_owned(), key.to_owned()), None);
        Ok(())
    }

    /// Deletes the intents that were acted upon, by key and generation; the keys of those that were still there, and are not
    /// another one by now.
    pub(crate) async fn delete_intents(
        &mut self,
        kind: &str,
        acted_upon: &[(&str, i64)],
    ) -> Result<HashSet<String>, Error> {
        let mut deleted = HashSet::new();
        let mut left = acted_upon.iter();
        for size in batches(acted_upon.len()) {
            let mut values: Vec<Value> = vec![kind.into()];
            let mut names = Vec::with_capacity(size);
            for (key, generation) in left.by_ref().take(size) {
                names.push(format!("(${}, ${})", values.len() + 1, values.len() + 2));
                values.extend([(*key).into(), (*generation).into()]);
            }
            let delete = format!(
                "DELETE FROM intent WHERE kind = $1 AND (key, generation) IN (VALUES {}) RETURNING key",
                names.join(", ")
            );
            let rows = self.conn().query_all_raw(statement(self.backend(), delete, values)).await.map_err(db)?;
            for row in rows {
                deleted.insert(row.try_get("", "key").map_err(db)?);
            }
        }
        Ok(deleted)
    }

    /// Deletes the timer that fires; `false` when it was set to another time, cancelled, or has fired.
    pub(crate) async fn delete_timer(&mut self, name: &str, key: &str, due: OffsetDateTime) -> Result<bool, Error> {
        let values: [Value; 3] = [name.into(), key.into(), micros(due).into()];
        self.delete("DELETE FROM timer WHERE name = $1 AND key = $2 AND due = $3", values).await
    }

    async fn delete(&self, text: &str, values: impl IntoIterator<Item = Value> + Send) -> Result<bool, Error> {
        let done = self.conn().execute_raw(statement(self.backend(), text, values)).await.map_err(db)?;
        Ok(done.rows_affected() == 1)
    }
}

/// A number that no earlier intent of the same key has had, be that deleted or not.
fn fresh_generation() -> i64 {
    i64::try_from(Uuid::new_v4().as_u128() >> 65).unwrap_or(i64::MAX)
}
