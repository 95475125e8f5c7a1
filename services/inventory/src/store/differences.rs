//! The differences of stock: a row each, written in the transaction of its events.

use std::collections::HashMap;
use std::sync::LazyLock;

use contracts::tradewind::inventory::v1::{
    StockCount, StockDifference as Resource, StockDifferenceFound, StockDifferenceResolved,
    StockDifferenceState as State, StockResolution as Resolution,
};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait as _, QueryFilter, QueryOrder};
use tradewind_domain::Error;
use tradewind_sql::{Place, db, from_micros, micros, timestamp};
use tradewind_store::{Tx, Upsert};

use super::Private;
use super::stock_difference::{Column, Entity, Model};
use crate::domain::minus;

static PUT: LazyLock<Upsert<Entity>> = LazyLock::new(|| Upsert::replacing([Column::DifferenceId]));

/// Writes a difference that is found now when `tx` is committed, and returns it.
pub(crate) fn put_found(tx: &mut Tx, found: StockDifferenceFound) -> Resource {
    let (counters, balance) = (found.counters.unwrap_or_default(), found.balance.unwrap_or_default());
    let row = Model {
        difference_id: found.difference_id,
        sku: found.sku,
        location: found.location,
        counted_received: counters.received,
        counted_shipped: counters.shipped,
        counted_reserved: counters.reserved,
        moved_received: balance.received,
        moved_shipped: balance.shipped,
        moved_reserved: balance.reserved,
        found: micros(tx.now()),
        resolved: None,
        resolution: i32::from(Resolution::Unspecified).into(),
        note: Private::default(),
        resolved_by: Private::default(),
    };
    tx.put(&PUT, row.clone());
    resource(row)
}

/// Writes that a difference is resolved now when `tx` is committed, and returns it; nothing where it has no row.
///
/// # Errors
/// When the database fails.
pub(crate) async fn put_resolved(tx: &mut Tx, resolved: StockDifferenceResolved) -> Result<Option<Resource>, Error> {
    let StockDifferenceResolved { difference_id, resolution, note, resolved_by, .. } = resolved;
    let found = Entity::find_by_id(difference_id).one(tx.conn()).await.map_err(db)?;
    Ok(found.map(|row| {
        let (note, resolved_by) = (Private(note), Private(resolved_by));
        let row = Model { resolved: Some(micros(tx.now())), resolution: resolution.into(), note, resolved_by, ..row };
        tx.put(&PUT, row.clone());
        resource(row)
    }))
}

/// What lies between counters and movements, as far as is known, for those of these differences that are not over.
///
/// # Errors
/// When the database fails.
pub(crate) async fn known(
    connection: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = String>,
) -> Result<HashMap<String, StockCount>, Error> {
    let rows = Entity::find().filter(Column::DifferenceId.is_in(ids)).all(connection).await.map_err(db)?;
    let lasts = |row: &Model| row.resolved.is_none() || row.resolution == i64::from(i32::from(Resolution::Noted));
    let between = |row: Model| {
        let (counters, balance) = (counters(&row), balance(&row));
        (row.difference_id, minus(counters, balance))
    };
    Ok(rows.into_iter().filter(lasts).map(between).collect())
}

/// Up to `limit` of the differences that follow `after` by the time at which they were found; from the first without it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn differences(
    connection: &impl ConnectionTrait,
    state: State,
    after: Option<Place>,
    limit: usize,
) -> Result<Vec<Resource>, Error> {
    let mut these = Condition::all().add_option(match state {
        State::Unspecified => None,
        State::Open => Some(Column::Resolved.is_null()),
        State::Resolved => Some(Column::Resolved.is_not_null()),
    });
    if let Some(Place { time, id, .. }) = after {
        let place = Expr::tuple([Column::Found, Column::DifferenceId].map(|column| Expr::col((Entity, column))));
        these = these.add(place.gt(Expr::tuple([Expr::val(time), Expr::val(id.to_string())])));
    }
    let rows = Entity::find().filter(these).order_by_asc(Column::Found).order_by_asc(Column::DifferenceId);
    let sized = [Column::Sku, Column::Location, Column::Note, Column::ResolvedBy];
    let rows = tradewind_sql::page(connection, rows, sized, limit).await?;
    Ok(rows.into_iter().map(resource).collect())
}

/// How many differences are open.
///
/// # Errors
/// When the database fails.
pub(crate) async fn open(connection: &impl ConnectionTrait) -> Result<u64, Error> {
    Entity::find().filter(Column::Resolved.is_null()).count(connection).await.map_err(db)
}

fn counters(row: &Model) -> StockCount {
    let (received, shipped, reserved) = (row.counted_received, row.counted_shipped, row.counted_reserved);
    StockCount { received, shipped, reserved }
}

fn balance(row: &Model) -> StockCount {
    StockCount { received: row.moved_received, shipped: row.moved_shipped, reserved: row.moved_reserved }
}

fn resource(row: Model) -> Resource {
    let time = |micros: i64| timestamp(from_micros(micros));
    Resource {
        counters: Some(counters(&row)),
        balance: Some(balance(&row)),
        difference_id: row.difference_id,
        sku: row.sku,
        location: row.location,
        found_time: Some(time(row.found)),
        resolved_time: row.resolved.map(time),
        resolution: i32::try_from(row.resolution).unwrap_or_default(),
        note: row.note.0,
        resolved_by: row.resolved_by.0,
    }
}
