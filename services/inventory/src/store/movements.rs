//! Movements: written by replacing themselves, so that no event moves anything twice; listed, and summed by level.

use std::sync::LazyLock;

use contracts::tradewind::inventory::v1::{StockCount, StockMovement, StockMovementKind as Kind};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_projections::{Slot, Table, Writer};
use tradewind_sql::{Place, db, from_micros, micros, timestamp};

use super::stock_movement::{Column, Entity, Model};
use crate::domain::Levels;

static PUT: LazyLock<Table<Entity>> =
    LazyLock::new(|| Table::replacing([Column::Sku, Column::Location, Column::EventId, Column::Line]));

/// Which levels are wanted; all of them by default.
#[derive(Clone, Debug, Default)]
pub struct Of {
    /// Only those of this SKU.
    pub sku: Option<String>,
    /// Only those at this location.
    pub location: Option<String>,
}

/// Which movements are wanted; all of them by default.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those of these levels.
    pub of: Of,
    /// Only those for this order.
    pub order_id: Option<String>,
    /// Only those that do this.
    pub kind: Option<Kind>,
    /// Only those recorded then or later.
    pub start: Option<OffsetDateTime>,
    /// Only those recorded before.
    pub end: Option<OffsetDateTime>,
}

/// What moved at a level in all.
#[derive(FromQueryResult)]
struct Sum {
    sku: String,
    location: String,
    received: i64,
    shipped: i64,
    reserved: i64,
}

impl Of {
    /// Whether a level is one of them.
    #[must_use]
    pub fn is(&self, sku: &str, location: &str) -> bool {
        self.sku.as_deref().is_none_or(|wanted| wanted == sku)
            && self.location.as_deref().is_none_or(|wanted| wanted == location)
    }

    /// The same of rows that say `sku` and `location`.
    pub(super) fn rows(&self, sku: impl ColumnTrait, location: impl ColumnTrait) -> Condition {
        Condition::all()
            .add_option(self.sku.as_ref().map(|wanted| sku.eq(wanted)))
            .add_option(self.location.as_ref().map(|wanted| location.eq(wanted)))
    }
}

/// Writes a movement, in its own place where it was written before.
pub(crate) fn put_movement(writer: &mut Writer<'_>, movement: Model) {
    writer.put(&PUT, movement);
}

/// Up to `limit` of the movements that follow `after` by time; from the first without it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn movements(
    db: &impl ConnectionTrait,
    slot: Slot,
    wanted: &Wanted,
    after: Option<Place>,
    limit: usize,
) -> Result<Vec<StockMovement>, Error> {
    let mut these = wanted
        .of
        .rows(Column::Sku, Column::Location)
        .add_option(wanted.order_id.as_ref().map(|order_id| Column::OrderId.eq(order_id)))
        .add_option(wanted.kind.map(|kind| Column::Kind.eq(number(kind))))
        .add_option(wanted.start.map(|start| Column::Time.gte(micros(start))))
        .add_option(wanted.end.map(|end| Column::Time.lt(micros(end))));
    if let Some(Place { time, id, leg }) = after {
        let place =
            Expr::tuple([Column::Time, Column::EventId, Column::Line].map(|column| Expr::col((Entity, column))));
        these = these.add(place.gt(Expr::tuple([Expr::val(time), Expr::val(id.to_string()), Expr::val(leg)])));
    }
    let rows = Entity::find().filter(these);
    let rows = rows.order_by_asc(Column::Time).order_by_asc(Column::EventId).order_by_asc(Column::Line);
    let sized = [Column::Sku, Column::Location, Column::OrderId, Column::Reason, Column::CorrectedBy];
    let rows = tradewind_sql::page(db, slot.select(rows), sized, limit).await?;
    Ok(rows.into_iter().map(resource).collect())
}

/// What the movements come to at up to `limit` levels that follow `after`, by SKU and location.
///
/// # Errors
/// When the database fails.
pub(crate) async fn balances(
    connection: &impl ConnectionTrait,
    slot: Slot,
    of: &Of,
    after: Option<(&str, &str)>,
    limit: usize,
) -> Result<Levels, Error> {
    let (sku, location) = after.unwrap_or_default();
    let level = Expr::tuple([Column::Sku, Column::Location].map(|column| Expr::col((Entity, column))));
    let sum = |column: Column| Expr::col((Entity, column)).sum().cast_as("BIGINT");
    let sums = Entity::find()
        .select_only()
        .columns([Column::Sku, Column::Location])
        .column_as(sum(Column::Received), "received")
        .column_as(sum(Column::Shipped), "shipped")
        .column_as(sum(Column::Reserved), "reserved")
        .filter(of.rows(Column::Sku, Column::Location))
        .filter(level.gt(Expr::tuple([Expr::val(sku), Expr::val(location)])))
        .group_by(Column::Sku)
        .group_by(Column::Location)
        .order_by_asc(Column::Sku)
        .order_by_asc(Column::Location)
        .limit(u64::try_from(limit).map_err(Error::internal)?);
    let sums = slot.select(sums).into_model::<Sum>().all(connection).await.map_err(db)?;
    let level = |Sum { sku, location, received, shipped, reserved }: Sum| {
        ((sku, location), StockCount { received, shipped, reserved })
    };
    Ok(sums.into_iter().map(level).collect())
}

/// The contract's number of a kind.
pub(crate) fn number(kind: Kind) -> i64 {
    i32::from(kind).into()
}

fn resource(row: Model) -> StockMovement {
    let number = |number: i64| i32::try_from(number).unwrap_or_default();
    StockMovement {
        event_id: row.event_id,
        line: number(row.line),
        sku: row.sku,
        location: row.location,
        kind: number(row.kind),
        on_hand: row.received - row.shipped,
        reserved: row.reserved,
        order_id: row.order_id,
        reason: row.reason.0,
        corrected_by: row.corrected_by.0,
        time: Some(timestamp(from_micros(row.time))),
    }
}
