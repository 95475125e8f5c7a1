//! Intents and timers as their workers see them: what is due, whose turn it is.

use std::fmt;

use sea_orm::sea_query::{CommonTableExpression, LockBehavior, LockType, Query, SelectStatement, UpdateStatement};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_replicas::gone;
use tradewind_sql::{db, from_micros, micros, unsigned};
use tradewind_store::{Metadata, Opened, Store};

use super::table::intent::{self, Column};
use super::table::timer;

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

/// Intents, and those of them whose subject was erased, so that nobody knows any more what was to be done.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) intents: Vec<Intent>,
    pub(super) erased: Vec<Intent>,
}

/// Up to `limit` due intents of a kind, claimed or not; the longest due first.
pub(super) async fn due_intents(store: &Store, kind: &str, limit: usize) -> Result<Found, Error> {
    let due: Vec<intent::Model> = store.find(due(store, kind, limit)).await?;
    opened(store, kind, due.into_iter().map(intent::Model::into).collect()).await
}

async fn opened(store: &Store, kind: &str, mut intents: Vec<Intent>) -> Result<Found, Error> {
    let payloads = intents.iter_mut().map(|intent| std::mem::take(&mut intent.payload)).collect();
    let mut found = Found::default();
    for (intent, payload) in intents.into_iter().zip(store.open_each(payloads).await?) {
        match payload {
            Ok(Opened::Whole(payload)) => found.intents.push(Intent { payload, ..intent }),
            Ok(Opened::Erased(_)) => found.erased.push(intent),
            // It stays, and keeps no other.
            Err(error) => tracing::error!(kind, key = intent.key, %error, "an intent cannot be opened"),
        }
    }
    Ok(found)
}

fn due(store: &Store, kind: &str, limit: usize) -> Select<intent::Entity> {
    let due = intent::Entity::find().filter(Column::Kind.eq(kind)).filter(Column::Due.lte(micros(store.now())));
    due.order_by_asc(Column::Due).limit(most(limit))
}

/// Claims up to `limit` due intents of a kind until `until`, when they are due again; the longest due first.
pub(super) async fn claim_intents(
    store: &Store,
    kind: &str,
    holder: &str,
    limit: usize,
    until: OffsetDateTime,
) -> Result<Found, Error> {
    let next = unlocked(due(store, kind, limit));
    // Materialized, lest PostgreSQL runs the subquery once a row and claims more than the limit.
    let next = CommonTableExpression::new().table_name("next").query(next).materialized(true).to_owned();
    let mut claim = update(kind);
    claim.with_cte(next).and_where(Column::Key.in_subquery(Query::select().column(Column::Key).from("next").take()));
    claim.value(Column::ClaimedBy, holder).value(Column::ClaimedUntil, micros(until));
    claim.value(Column::Due, micros(until)).returning_all();
    let claimed = store.write(store.backend().build(&claim)).await?;
    let intents = claimed.iter().map(|row| intent::Model::from_query_result(row, "").map(Intent::from).map_err(db));
    opened(store, kind, intents.collect::<Result<_, _>>()?).await
}

/// Gives back what a process of this name claimed in an earlier life.
pub(super) async fn reclaim_intents(store: &Store, kind: &str, holder: &str) -> Result<(), Error> {
    let mut reclaim = unclaimed(kind, store.now());
    reclaim.and_where(Column::ClaimedBy.eq(holder));
    store.write(store.backend().build(&reclaim)).await.map(drop)
}

/// Gives back what processes have claimed that were killed, as the roster has it; how many there were. What a process holds
/// that leaves the roster in good order it settles itself, or it lapses.
pub(super) async fn reclaim_orphaned_intents(store: &Store, kind: &str) -> Result<u64, Error> {
    if !store.is_shared() {
        return Ok(0);
    }
    let orphaned = intent::Entity::find().filter(Column::Kind.eq(kind)).filter(Column::ClaimedBy.in_subquery(gone()));
    let mut reclaim = unclaimed(kind, store.now());
    reclaim.and_where(Column::Key.in_subquery(unlocked(orphaned))).returning_col(Column::Key);
    let reclaimed = store.write(store.backend().build(&reclaim)).await?;
    u64::try_from(reclaimed.len()).map_err(Error::internal)
}

/// The keys of those that no other process is about to change.
fn unlocked(intents: Select<intent::Entity>) -> SelectStatement {
    let keys = intents.select_only().column(Column::Key);
    keys.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).into_query()
}

fn update(kind: &str) -> UpdateStatement {
    Query::update().table(intent::Entity).and_where(Column::Kind.eq(kind)).take()
}

/// Changes intents of a kind so that they are nobody's, and due at `due`.
pub(super) fn unclaimed(kind: &str, due: OffsetDateTime) -> UpdateStatement {
    let mut unclaimed = update(kind);
    unclaimed.value(Column::ClaimedBy, None::<String>).value(Column::ClaimedUntil, None::<i64>);
    unclaimed.value(Column::Due, micros(due)).take()
}

/// How many intents of a kind there are.
pub(super) async fn open_intents(store: &Store, kind: &str) -> Result<u64, Error> {
    let open = intent::Entity::find().select_only().column_as(Column::Key.count(), "open");
    let rows = store.read(open.filter(Column::Kind.eq(kind)).build(store.backend())).await?;
    rows.first().map_or(Ok(0), |row| row.try_get("", "open").map(unsigned).map_err(db))
}

/// Up to `limit` timers of a name that are due, the longest due first.
pub(super) async fn due_timers(store: &Store, name: &str, limit: usize) -> Result<Vec<DueTimer>, Error> {
    let due = timer::Entity::find().filter(timer::Column::Name.eq(name));
    let due = due.filter(timer::Column::Due.lte(micros(store.now()))).order_by_asc(timer::Column::Due);
    Ok(store.find(due.limit(most(limit))).await?.into_iter().map(timer::Model::into).collect())
}

/// When the next timer of a name is due; `None` when there is none.
pub(super) async fn next_timer(store: &Store, name: &str) -> Result<Option<OffsetDateTime>, Error> {
    let next = timer::Entity::find().select_only().column_as(timer::Column::Due.min(), "due");
    let rows = store.read(next.filter(timer::Column::Name.eq(name)).build(store.backend())).await?;
    let due: Option<i64> = rows.first().map(|row| row.try_get("", "due")).transpose().map_err(db)?.flatten();
    Ok(due.map(from_micros))
}

fn most(limit: usize) -> Option<u64> {
    u64::try_from(limit).ok()
}

impl From<intent::Model> for Intent {
    fn from(row: intent::Model) -> Self {
        let intent::Model { key, action, payload, generation, attempt, correlation, causation, traceparent, .. } = row;
        let cause = Metadata { partition_key: String::new(), correlation, causation, traceparent };
        Self { key, action, payload, generation, attempt: u32::try_from(attempt).unwrap_or_default(), cause }
    }
}

impl From<timer::Model> for DueTimer {
    fn from(row: timer::Model) -> Self {
        let timer::Model { key, due, payload, correlation, causation, traceparent, .. } = row;
        let cause = Metadata { partition_key: String::new(), correlation, causation, traceparent };
        Self { key, due: from_micros(due), payload, cause }
    }
}
