//! What endpoints are to be told, in the database: a body an event, and a row for each who is told of it, in order within what it is
//! about.

mod backlog;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use contracts::tradewind::notification::v1::DeliveryState;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, OnConflict, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, Order, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, UpdateMany,
};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, micros, signed};
use tradewind_store::{Store, Tx, Upsert};

pub(crate) use self::backlog::{oldest, waiting};
use super::body::Event;
use super::table::delivery::{Column, Entity, Model};
use super::table::event;

pub(crate) const WAITING: i64 = DeliveryState::Waiting as i64;
pub(crate) const DELIVERED: i64 = DeliveryState::Delivered as i64;
pub(crate) const FAILED: i64 = DeliveryState::Failed as i64;

/// The most events that may wait for one endpoint, and the most that are kept which do not.
pub(crate) const MOST_KEPT: u64 = 50_000;
/// The most that are told again at a time.
pub(crate) const MOST_AGAIN: u64 = 10_000;

/// An event that comes again was put down before.
static INSERT: LazyLock<Upsert<Entity>> = LazyLock::new(|| {
    let mut once = OnConflict::columns([Column::EventId, Column::EndpointId]);
    Upsert::new(once.do_nothing().to_owned())
});
static INSERT_BODY: LazyLock<Upsert<event::Entity>> = LazyLock::new(|| {
    let mut once = OnConflict::column(event::Column::EventId);
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
    pub(crate) event_type: String,
    /// With this one.
    pub(crate) attempts: i64,
    pub(crate) status: u16,
    pub(crate) failure: String,
    pub(crate) came: Came,
}

/// Writes down, with the commit, that these endpoints are to be told of an event: what is told is kept once for all of them.
pub(crate) fn put<'a>(
    tx: &mut Tx,
    endpoints: impl Iterator<Item = &'a str>,
    event: &Event<'_>,
    body: String,
    place: i64,
) {
    tx.put(&INSERT_BODY, event::Model { event_id: event.id.to_owned(), body });
    let now = micros(tx.now());
    for endpoint_id in endpoints {
        let row = Model {
            event_id: event.id.to_owned(),
            endpoint_id: endpoint_id.to_owned(),
            context: event.context().to_owned(),
            position: signed(event.position),
            place,
            event_type: event.type_name.to_owned(),
            subject: event.subject.to_owned(),
            state: WAITING,
            attempts: 0,
            due: now,
            status: 0,
            failure: String::new(),
            created: now,
            since: now,
        };
        tx.put(&INSERT, row);
    }
}

/// Up to `limit` requests that are due, `but` for those under way, the longest due first: of everything that a context tells an
/// endpoint about, the first that waits.
///
/// # Errors
/// When the database fails.
pub(crate) async fn due(
    store: &Store,
    endpoint_id: &str,
    limit: usize,
    but: &BTreeSet<String>,
) -> Result<Vec<Due>, Error> {
    let told = Entity::belongs_to(event::Entity).from(Column::EventId).to(event::Column::EventId);
    let due = of(endpoint_id)
        .select_only()
        .columns([Column::EventId, Column::EventType, Column::Attempts])
        .column(event::Column::Body)
        .join(JoinType::InnerJoin, told.into())
        .filter(Column::State.eq(WAITING))
        .filter(Column::Due.lte(micros(store.now())))
        .filter(Column::EventId.is_not_in(but.iter().map(String::as_str)))
        .filter(Expr::not_exists(one_before()))
        .order_by_asc(Column::Due)
        .limit(u64::try_from(limit).map_err(Error::internal)?);
    store.find(due).await
}

/// What of the same thing, and of the same context, waits before a row. Between contexts there is no order that all would agree on: one
/// by the times at which they were read would let two wait for each other where clocks differ.
fn one_before() -> SelectStatement {
    const BEFORE: &str = "before";
    let theirs = |column: Column| Expr::col((BEFORE, column));
    let own = |column: Column| Expr::col((Entity, column));
    let mut before = Query::select();
    before.expr(Expr::val(1)).from_as(Entity, BEFORE);
    for same in [Column::EndpointId, Column::Subject, Column::Context] {
        before.and_where(theirs(same).eq(own(same)));
    }
    before.and_where(theirs(Column::Position).lt(own(Column::Position)));
    before.and_where(theirs(Column::State).eq(WAITING));
    before
}

/// Writes down what came of a request, unless somebody has meanwhile, or wants it to be told as if it never had been; whether it did.
///
/// # Errors
/// When the database fails.
pub(crate) async fn settle(tx: &Tx, endpoint_id: &str, made: &Made) -> Result<bool, Error> {
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
        None => settled.col_expr(Column::Since, Expr::val(micros(tx.now()))),
    };
    let mut this = Condition::all()
        .add(Column::EndpointId.eq(endpoint_id))
        .add(Column::EventId.eq(made.event_id.as_str()))
        .add(Column::State.eq(WAITING));
    if state != DELIVERED {
        this = this.add(Column::Attempts.eq(made.attempts.saturating_sub(1)));
    }
    Ok(settled.filter(this).exec(tx.conn()).await.map_err(db)?.rows_affected == 1)
}

/// Makes everything due that waits for an endpoint, as if it had not been asked for before.
///
/// # Errors
/// When the database fails.
pub(crate) async fn hurry(tx: &Tx, endpoint_id: &str) -> Result<(), Error> {
    let waiting = Condition::all()
        .add(Column::EndpointId.eq(endpoint_id))
        .add(Column::State.eq(WAITING))
        .add(Column::Attempts.gt(0));
    let hurried = Entity::update_many()
        .col_expr(Column::Attempts, Expr::val(0_i64))
        .col_expr(Column::Due, Expr::val(micros(tx.now())));
    hurried.filter(waiting).exec(tx.conn()).await.map(drop).map_err(db)
}

/// Lets an endpoint be told again of an event; `false` where it never was to be.
///
/// # Errors
/// When the database fails.
pub(crate) async fn replay(tx: &Tx, endpoint_id: &str, event_id: &str) -> Result<bool, Error> {
    let again = waiting_again(tx).filter(Column::EndpointId.eq(endpoint_id)).filter(Column::EventId.eq(event_id));
    Ok(again.exec(tx.conn()).await.map_err(db)?.rows_affected == 1)
}

/// Lets an endpoint be told again of what was given up since then: the first of it, up to `most`, and no more than there is room for; of
/// how many events.
///
/// # Errors
/// When the database fails.
pub(crate) async fn replay_failed(tx: &Tx, endpoint_id: &str, since: i64, most: u64) -> Result<u64, Error> {
    let room = MOST_KEPT.saturating_sub(waiting(tx.conn(), endpoint_id, MOST_KEPT).await?);
    let first = of(endpoint_id)
        .select_only()
        .column(Column::EventId)
        .filter(Column::State.eq(FAILED))
        .filter(Column::Since.gte(since))
        .order_by_asc(Column::Since)
        .limit(Ord::min(room, most));
    let again = waiting_again(tx)
        .filter(Column::EndpointId.eq(endpoint_id))
        .filter(Column::EventId.in_subquery(first.into_query()));
    Ok(again.exec(tx.conn()).await.map_err(db)?.rows_affected)
}

fn waiting_again(tx: &Tx) -> UpdateMany<Entity> {
    let now = micros(tx.now());
    Entity::update_many()
        .col_expr(Column::State, Expr::val(WAITING))
        .col_expr(Column::Attempts, Expr::val(0_i64))
        .col_expr(Column::Due, Expr::val(now))
        .col_expr(Column::Since, Expr::val(now))
}

/// Where a page of what an endpoint was told ends: place and event of the last.
pub(crate) type Place = (i64, String);

/// Up to `limit` events that an endpoint was told of before that place, the latest first; only those of a state, where one is given.
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

/// An event that an endpoint was told of, as it is listed.
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
    pub(crate) since: i64,
}

/// All that an endpoint was told, or is to be.
pub(crate) fn of(endpoint_id: &str) -> Select<Entity> {
    Entity::find().filter(Column::EndpointId.eq(endpoint_id))
}
