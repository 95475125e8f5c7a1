//! What endpoints are to be told, in the database: a row an endpoint and event, told in order within what it is about.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use contracts::tradewind::notification::v1::DeliveryState;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, OnConflict, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, Order, QueryFilter, QueryOrder, QuerySelect, Select,
    UpdateMany,
};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, micros};
use tradewind_store::{Store, Tx, Upsert};

use super::body::Event;
use super::table::delivery::{Column, Entity, Model};

pub(crate) const WAITING: i64 = DeliveryState::Waiting as i64;
pub(crate) const DELIVERED: i64 = DeliveryState::Delivered as i64;
pub(crate) const FAILED: i64 = DeliveryState::Failed as i64;

/// An event that comes again was put down before.
static INSERT: LazyLock<Upsert<Entity>> = LazyLock::new(|| {
    let mut once = OnConflict::columns([Column::EndpointId, Column::EventId]);
    Upsert::new(once.do_nothing().to_owned())
});

/// A request that is due.
#[derive(Clone, FromQueryResult)]
pub(crate) struct Due {
    pub(crate) event_id: String,
    pub(crate) event_type: String,
    pub(crate) body: String,
    pub(crate) attempts: i64,
}

/// What came of a request.
pub(crate) enum Came {
    /// It was taken.
    Delivered,
    /// It was not; the next one is due then.
    Again(OffsetDateTime),
    /// It is given up.
    GivenUp,
}

/// A request that was made, and what is written down of it.
pub(crate) struct Made {
    pub(crate) event_id: String,
    pub(crate) attempts: i64,
    pub(crate) status: u16,
    pub(crate) failure: String,
    pub(crate) came: Came,
}

/// What waits for one endpoint.
#[derive(Clone, FromQueryResult)]
pub(crate) struct Backlog {
    pub(crate) endpoint_id: String,
    pub(crate) waiting: i64,
    pub(crate) oldest: Option<i64>,
}

/// Writes down, with the commit, that an endpoint is to be told of an event.
pub(crate) fn put(tx: &mut Tx, endpoint_id: &str, event: &Event<'_>, body: &str, place: i64) {
    let now = micros(tx.now());
    let row = Model {
        endpoint_id: endpoint_id.to_owned(),
        event_id: event.id.to_owned(),
        place,
        event_type: event.type_name.to_owned(),
        subject: event.subject.to_owned(),
        body: body.to_owned(),
        state: WAITING,
        attempts: 0,
        due: now,
        status: 0,
        failure: String::new(),
        created: now,
        settled: None,
    };
    tx.put(&INSERT, row);
}

/// Up to `limit` requests that are due, the longest due first: of everything that endpoints are told about, the first that waits.
///
/// # Errors
/// When the database fails.
pub(crate) async fn due(store: &Store, endpoint_id: &str, limit: usize) -> Result<Vec<Due>, Error> {
    let due = of(endpoint_id)
        .select_only()
        .columns([Column::EventId, Column::EventType, Column::Body, Column::Attempts])
        .filter(Column::State.eq(WAITING))
        .filter(Column::Due.lte(micros(store.now())))
        .filter(Expr::not_exists(one_before()))
        .order_by_asc(Column::Due)
        .limit(u64::try_from(limit).map_err(Error::internal)?);
    store.find(due).await
}

/// Whatever of the same thing waits before a row.
fn one_before() -> SelectStatement {
    const BEFORE: &str = "before";
    let theirs = |column: Column| Expr::col((BEFORE, column));
    let own = |column: Column| Expr::col((Entity, column));
    let same_place = theirs(Column::Place).eq(own(Column::Place));
    let earlier = Condition::any()
        .add(theirs(Column::Place).lt(own(Column::Place)))
        .add(same_place.and(theirs(Column::EventId).lt(own(Column::EventId))));
    let mut before = Query::select();
    before.expr(Expr::val(1)).from_as(Entity, BEFORE).cond_where(earlier);
    before.and_where(theirs(Column::EndpointId).eq(own(Column::EndpointId)));
    before.and_where(theirs(Column::Subject).eq(own(Column::Subject)));
    before.and_where(theirs(Column::State).eq(WAITING));
    before
}

/// Writes down what came of a request, unless somebody has meanwhile.
///
/// # Errors
/// When the database fails.
pub(crate) async fn settle(tx: &Tx, endpoint_id: &str, made: &Made) -> Result<(), Error> {
    let (state, due) = match made.came {
        Came::Delivered => (DELIVERED, None),
        Came::GivenUp => (FAILED, None),
        Came::Again(due) => (WAITING, Some(due)),
    };
    let mut settled = Entity::update_many()
        .col_expr(Column::State, Expr::val(state))
        .col_expr(Column::Attempts, Expr::val(made.attempts))
        .col_expr(Column::Status, Expr::val(i64::from(made.status)))
        .col_expr(Column::Failure, Expr::val(made.failure.as_str()));
    settled = match due {
        Some(due) => settled.col_expr(Column::Due, Expr::val(micros(due))),
        None => settled.col_expr(Column::Settled, Expr::val(micros(tx.now()))),
    };
    let this = Condition::all()
        .add(Column::EndpointId.eq(endpoint_id))
        .add(Column::EventId.eq(made.event_id.as_str()))
        .add(Column::State.eq(WAITING));
    settled.filter(this).exec(tx.conn()).await.map(drop).map_err(db)
}

/// Lets an endpoint be told again of an event; `false` where it never was to be.
///
/// # Errors
/// When the database fails.
pub(crate) async fn replay(tx: &Tx, endpoint_id: &str, event_id: &str) -> Result<bool, Error> {
    let again = waiting_again(tx).filter(Column::EndpointId.eq(endpoint_id)).filter(Column::EventId.eq(event_id));
    Ok(again.exec(tx.conn()).await.map_err(db)?.rows_affected == 1)
}

/// Lets an endpoint be told again of all that was given up since then; of how many events.
///
/// # Errors
/// When the database fails.
pub(crate) async fn replay_failed(tx: &Tx, endpoint_id: &str, since: i64) -> Result<u64, Error> {
    let failed = Condition::all()
        .add(Column::EndpointId.eq(endpoint_id))
        .add(Column::State.eq(FAILED))
        .add(Column::Settled.gte(since));
    Ok(waiting_again(tx).filter(failed).exec(tx.conn()).await.map_err(db)?.rows_affected)
}

fn waiting_again(tx: &Tx) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::State, Expr::val(WAITING))
        .col_expr(Column::Attempts, Expr::val(0_i64))
        .col_expr(Column::Due, Expr::val(micros(tx.now())))
        .col_expr(Column::Settled, Expr::val(None::<i64>))
}

/// Where a page of what an endpoint was told ends: place and event of the last.
pub(crate) type Place = (i64, String);

/// Up to `limit` events that an endpoint was told of before that place, the latest first; only those of a state, where one is given. Their
/// bodies are left out.
///
/// # Errors
/// When the database fails.
pub(crate) async fn page(
    connection: &impl ConnectionTrait,
    endpoint_id: &str,
    state: Option<i64>,
    before: Option<&Place>,
    limit: usize,
) -> Result<Vec<Listed>, Error> {
    let mut rows = of(endpoint_id)
        .order_by(Column::Place, Order::Desc)
        .order_by(Column::EventId, Order::Desc)
        .limit(u64::try_from(limit).map_err(Error::internal)?);
    if let Some(state) = state {
        rows = rows.filter(Column::State.eq(state));
    }
    if let Some((place, event_id)) = before {
        let same = Column::Place.eq(*place).and(Column::EventId.lt(event_id.as_str()));
        rows = rows.filter(Condition::any().add(Column::Place.lt(*place)).add(same));
    }
    rows.into_partial_model::<Listed>().all(connection).await.map_err(db)
}

/// An event that an endpoint was told of, without its body.
#[derive(sea_orm::DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub(crate) struct Listed {
    pub(crate) event_id: String,
    pub(crate) place: i64,
    pub(crate) event_type: String,
    pub(crate) subject: String,
    pub(crate) state: i64,
    pub(crate) attempts: i64,
    pub(crate) due: i64,
    pub(crate) status: i64,
    pub(crate) failure: String,
    pub(crate) created: i64,
    pub(crate) settled: Option<i64>,
}

/// What waits, by endpoint.
///
/// # Errors
/// When the database fails.
pub(crate) async fn backlogs(store: &Store) -> Result<Vec<Backlog>, Error> {
    let waiting = Entity::find()
        .select_only()
        .column(Column::EndpointId)
        .column_as(Column::EventId.count(), "waiting")
        .column_as(Column::Created.min(), "oldest")
        .filter(Column::State.eq(WAITING))
        .group_by(Column::EndpointId);
    store.find(waiting).await
}

/// All that an endpoint was told, or is to be.
pub(crate) fn of(endpoint_id: &str) -> Select<Entity> {
    Entity::find().filter(Column::EndpointId.eq(endpoint_id))
}
