//! Readers that cannot get past a position, and what keeps them: in this process for its readiness, and in a table that every
//! replica lists. How a reader notices that it is one must not be here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::{QueryResult, Value};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{brief, db, from_micros, micros, partition, signed, statement, unsigned};
use tradewind_store::Store;

/// A reader that cannot get past a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Whose reader it is.
    pub consumer: String,
    /// The context whose log it reads.
    pub source: String,
    /// The partition of that log.
    pub partition: u16,
    /// The last position that is done.
    pub position: u64,
    /// What keeps it, stable for programs.
    pub reason: String,
    /// What keeps it, for people.
    pub error: String,
    /// Since when it has tried in vain.
    pub since: OffsetDateTime,
}

type Key = (String, String, u16);

/// The readers of this process that cannot get past a position. Cheap to clone.
#[derive(Clone, Default)]
pub struct StuckReaders(Arc<Mutex<BTreeMap<Key, Stuck>>>);

impl StuckReaders {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Stuck> {
        self.lock().values().cloned().collect()
    }

    /// Notes that a reader is stuck.
    pub(super) fn add(&self, stuck: Stuck) {
        let key = (stuck.consumer.clone(), stuck.source.clone(), stuck.partition);
        self.lock().insert(key, stuck);
    }

    /// Notes that a reader is not stuck here.
    pub(super) fn remove(&self, consumer: &str, source: &str, partition: u16) {
        self.lock().remove(&(consumer.to_owned(), source.to_owned(), partition));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Stuck>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stuck readers of every replica.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn stuck_everywhere(store: &Store) -> Result<Vec<Stuck>, Error> {
    let query = "SELECT consumer, source, partition, position, reason, error, since FROM stuck";
    store.read(statement(store.backend(), query, [])).await?.iter().map(stuck).collect()
}

/// Tells every replica of a stuck reader; what was told of it before is replaced.
pub(super) async fn note(store: &Store, stuck: &Stuck) -> Result<(), Error> {
    let upsert = "INSERT INTO stuck (consumer, source, partition, position, reason, error, since) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (consumer, source, partition) DO UPDATE SET \
         position = excluded.position, reason = excluded.reason, error = excluded.error, since = excluded.since";
    let values: [Value; 7] = [
        stuck.consumer.as_str().into(),
        stuck.source.as_str().into(),
        i64::from(stuck.partition).into(),
        signed(stuck.position).into(),
        stuck.reason.as_str().into(),
        brief(&stuck.error).into(),
        micros(stuck.since).into(),
    ];
    store.write(statement(store.backend(), upsert, values)).await.map(drop)
}

/// Tells every replica that a reader moves, if it was told that it is stuck.
pub(super) async fn forget(store: &Store, consumer: &str, source: &str, partition: u16) -> Result<(), Error> {
    let values = || -> [Value; 3] { [consumer.into(), source.into(), i64::from(partition).into()] };
    let told = "SELECT 1 AS one FROM stuck WHERE consumer = $1 AND source = $2 AND partition = $3";
    if store.read(statement(store.backend(), told, values())).await?.is_empty() {
        return Ok(());
    }
    let delete = "DELETE FROM stuck WHERE consumer = $1 AND source = $2 AND partition = $3";
    store.write(statement(store.backend(), delete, values())).await.map(drop)
}

fn stuck(row: &QueryResult) -> Result<Stuck, Error> {
    let number = |column: &str| row.try_get::<i64>("", column).map_err(db);
    let text = |column: &str| row.try_get::<String>("", column).map_err(db);
    Ok(Stuck {
        consumer: text("consumer")?,
        source: text("source")?,
        partition: partition(number("partition")?)?,
        position: unsigned(number("position")?),
        reason: text("reason")?,
        error: text("error")?,
        since: from_micros(number("since")?),
    })
}
