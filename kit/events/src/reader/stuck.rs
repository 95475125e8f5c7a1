//! Readers that cannot get past a position, and what keeps them: in this process for its readiness, and in a table that every
//! replica lists. How a reader notices that it is one must not be here.

mod row;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, IntoActiveModel, QueryTrait};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{brief, from_micros, micros, partition, signed, unsigned};
use tradewind_store::Store;

use self::row::{Column, Entity, Model};

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
    store.find::<Model>(Entity::find()).await?.into_iter().map(Stuck::try_from).collect()
}

/// Tells every replica of a stuck reader; what was told of it before is replaced.
pub(super) async fn note(store: &Store, stuck: &Stuck) -> Result<(), Error> {
    let Stuck { consumer, source, partition, position, reason, error, since } = stuck.clone();
    let row = Model {
        consumer,
        source,
        partition: partition.into(),
        position: signed(position),
        reason,
        error: brief(&error).to_owned(),
        since: micros(since),
    };
    let mut again = OnConflict::columns([Column::Consumer, Column::Source, Column::Partition]);
    again.update_columns([Column::Position, Column::Reason, Column::Error, Column::Since]);
    let upsert = Entity::insert(row.into_active_model()).on_conflict(again);
    store.write(upsert.build(store.backend())).await.map(drop)
}

/// Tells every replica that a reader moves, if it was told that it is stuck.
pub(super) async fn forget(store: &Store, consumer: &str, source: &str, partition: u16) -> Result<(), Error> {
    let key = || (consumer.to_owned(), source.to_owned(), i64::from(partition));
    if store.find::<Model>(Entity::find_by_id(key())).await?.is_empty() {
        return Ok(());
    }
    store.write(Entity::delete_by_id(key()).build(store.backend())).await.map(drop)
}

impl TryFrom<Model> for Stuck {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let Model { consumer, source, partition: number, position, reason, error, since } = row;
        let (partition, since) = (partition(number)?, from_micros(since));
        Ok(Self { consumer, source, partition, position: unsigned(position), reason, error, since })
    }
}
