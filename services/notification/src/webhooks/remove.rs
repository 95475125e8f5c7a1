//! What is removed or given up of what endpoints are told: what is old, nobody's, or more than is kept. It is found by indexes, and some
//! at a time, so that nobody waits for it.

use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, micros, padded};
use tradewind_store::{Store, Tx};

use super::keep;
use super::queue::{DELIVERED, FAILED, WAITING, of, waiting};
use super::table::delivery::{Column, Entity};
use super::table::event;

/// Rows that one transaction takes.
const SOME: u64 = 500;

/// The first endpoint after that id of which anything is kept, be it there or not.
///
/// # Errors
/// When the database fails.
pub(crate) async fn next(store: &Store, after: &str) -> Result<Option<String>, Error> {
    let next = Entity::find()
        .select_only()
        .column(Column::EndpointId)
        .filter(Column::EndpointId.gt(after))
        .order_by_asc(Column::EndpointId)
        .limit(1);
    let found: Vec<Whose> = store.find(next).await?;
    Ok(found.into_iter().next().map(|whose| whose.endpoint_id))
}

/// Removes some of all that is kept of an endpoint; whether there may be more.
///
/// # Errors
/// When the database fails.
pub(crate) async fn all(store: &Store, endpoint_id: &str) -> Result<bool, Error> {
    remove(store, endpoint_id, Condition::all()).await
}

/// Removes some of what an endpoint took before `past`, or was given up by then; whether there may be more.
///
/// # Errors
/// When the database fails.
pub(crate) async fn old(store: &Store, endpoint_id: &str, past: OffsetDateTime) -> Result<bool, Error> {
    for state in [DELIVERED, FAILED] {
        let old = Condition::all().add(Column::State.eq(state)).add(Column::Since.lt(micros(past)));
        if remove(store, endpoint_id, old).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes some of what an endpoint has taken, or will not, beyond the last `most`; whether there may be more.
///
/// # Errors
/// When the database fails.
pub(crate) async fn beyond(store: &Store, endpoint_id: &str, most: u64) -> Result<bool, Error> {
    let places = of(endpoint_id).select_only().column(Column::Place).order_by_desc(Column::Place);
    let first: Vec<At> = store.find(places.offset(most).limit(1)).await?;
    let Some(At { place }) = first.first() else { return Ok(false) };
    let beyond = Condition::all().add(Column::Place.lte(*place)).add(Column::State.ne(WAITING));
    remove(store, endpoint_id, beyond).await
}

/// Gives up some of what has waited for an endpoint since before `past`; how much.
///
/// # Errors
/// When the database fails.
pub(crate) async fn expire(store: &Store, endpoint_id: &str, past: OffsetDateTime) -> Result<u64, Error> {
    let expire = async |tx: &mut Tx| {
        let old = Condition::all().add(Column::State.eq(WAITING)).add(Column::Since.lt(micros(past)));
        let first = of(endpoint_id).filter(old).select_only().column(Column::EventId).order_by_asc(Column::Since);
        let given_up = Entity::update_many()
            .col_expr(Column::State, Expr::val(FAILED))
            .col_expr(Column::Failure, Expr::val("EXPIRED"))
            .col_expr(Column::Since, Expr::val(micros(tx.now())))
            .filter(Column::EndpointId.eq(endpoint_id))
            .filter(Column::EventId.in_subquery(first.limit(SOME).into_query()));
        let expired = given_up.exec(tx.conn()).await.map_err(db)?.rows_affected;
        if expired > 0 && waiting(tx.conn(), endpoint_id, 1).await? == 0 {
            keep::fails_no_more(tx, endpoint_id).await?;
        }
        Ok(expired)
    };
    store.transact(expire).await.map(|(expired, _)| expired)
}

#[derive(FromQueryResult)]
struct Whose {
    endpoint_id: String,
}

#[derive(FromQueryResult)]
struct At {
    place: i64,
}

#[derive(FromQueryResult)]
struct Named {
    event_id: String,
}

async fn remove(store: &Store, endpoint_id: &str, which: Condition) -> Result<bool, Error> {
    let rows = of(endpoint_id).filter(which.clone()).select_only().column(Column::EventId).limit(SOME);
    let named: Vec<Named> = store.find(rows).await?;
    if named.is_empty() {
        return Ok(false);
    }
    let events: Vec<_> = named.iter().map(|named| named.event_id.as_str()).collect();
    let events = padded(&events, "");
    let remove = async |tx: &mut Tx| {
        let these = Entity::delete_many()
            .filter(Column::EndpointId.eq(endpoint_id))
            .filter(Column::EventId.is_in(events.iter().copied()))
            .filter(which.clone());
        these.exec(tx.conn()).await.map_err(db)?;
        let bodies = event::Entity::delete_many()
            .filter(event::Column::EventId.is_in(events.iter().copied()))
            .filter(Expr::not_exists(of_somebody()));
        bodies.exec(tx.conn()).await.map(drop).map_err(db)
    };
    store.transact(remove).await?;
    Ok(u64::try_from(named.len()).map_err(Error::internal)? == SOME)
}

/// Whatever is kept of an event for anybody.
fn of_somebody() -> SelectStatement {
    let (theirs, own) = (Expr::col((Entity, Column::EventId)), Expr::col((event::Entity, event::Column::EventId)));
    Query::select().expr(Expr::val(1)).from(Entity).and_where(theirs.eq(own)).take()
}
