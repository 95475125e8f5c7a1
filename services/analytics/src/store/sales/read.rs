//! Where sums are read.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use serde::Deserialize;
use tradewind_domain::Error;
use tradewind_projections::Slot;
use tradewind_sql::db;

use super::place::{SalePlace, StockPlace};
use super::{sold, stock, stock_taken, taken_step};
use crate::domain::{Span, Taken, months_and_days};

/// Which sums are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WantedSales {
    /// What they are told apart by, by the contract's number.
    pub kind: i64,
    pub span: Span,
    /// The first day of the first of them.
    pub from: i64,
    /// The last day.
    pub to: i64,
    /// Only this product, country or cohort.
    pub key: Option<String>,
}

/// Up to `limit` of the sums that follow `after` by start, key and currency.
///
/// # Errors
/// When the database fails.
pub(crate) async fn sold_page(
    db: &impl ConnectionTrait,
    slot: Slot,
    wanted: &WantedSales,
    after: Option<SalePlace>,
    limit: usize,
) -> Result<Vec<sold::Model>, Error> {
    use sold::{Column, Entity};
    let mut rows = Entity::find()
        .filter(Column::Kind.eq(wanted.kind))
        .filter(Column::Span.eq(wanted.span.number()))
        .filter(Column::Start.between(wanted.from, wanted.to))
        // What was counted here, and is counted among another cohort by now.
        .filter(Column::Orders.ne(0));
    if let Some(key) = &wanted.key {
        rows = rows.filter(Column::Key.eq(key));
    }
    if let Some(SalePlace { start, key, currency }) = after {
        let columns = [Column::Start, Column::Key, Column::Currency].map(|column| Expr::col((Entity, column)));
        rows = rows.filter(Expr::tuple(columns).gt(Expr::tuple([start.into(), key.into(), currency.into()])));
    }
    let rows = rows.order_by_asc(Column::Start).order_by_asc(Column::Key).order_by_asc(Column::Currency);
    tradewind_sql::page(db, slot.select(rows), [Column::Key, Column::Currency], limit).await
}

/// How many orders have taken a step, or ended after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, FromQueryResult)]
pub(crate) struct StepSum {
    /// By the contract's number.
    pub(crate) step: i64,
    /// By the contract's number; -1 of those that have taken it.
    pub(crate) reason: i64,
    /// The class of the time it took; 0 where all are one.
    pub(crate) class: i64,
    pub(crate) orders: i64,
}

/// The steps of the orders that were placed in these days, in order; each class of times by itself where `classes` is so.
///
/// # Errors
/// When the database fails.
pub(crate) async fn step_sums(
    connection: &impl ConnectionTrait,
    slot: Slot,
    (from, to): (i64, i64),
    classes: bool,
) -> Result<Vec<StepSum>, Error> {
    use taken_step::{Column, Entity};
    let mut all = BTreeMap::new();
    // Each by itself, as one run of the key: for several at once PostgreSQL would read all there are.
    for (span, from, to) in months_and_days(from, to) {
        let sums = Entity::find()
            .select_only()
            .column(Column::Step)
            .column(Column::Reason)
            .column_as(Column::Orders.sum().cast_as("BIGINT"), "orders")
            .filter(Column::Span.eq(span.number()))
            .filter(Column::Start.between(from, to))
            .group_by(Column::Step)
            .group_by(Column::Reason);
        let sums = match classes {
            true => sums.column(Column::Class).group_by(Column::Class),
            false => sums.column_as(Expr::val(0_i64).cast_as("BIGINT"), "class"),
        };
        let sums: Vec<StepSum> = slot.select(sums).into_model().all(connection).await.map_err(db)?;
        for StepSum { step, reason, class, orders } in sums {
            *all.entry((step, reason, class)).or_default() += orders;
        }
    }
    Ok(all.into_iter().map(|((step, reason, class), orders)| StepSum { step, reason, class, orders }).collect())
}

/// Up to `limit` of what is available that follow `after`, by SKU and location; of one SKU where one is named.
///
/// # Errors
/// When the database fails.
pub(crate) async fn stock_page(
    db: &impl ConnectionTrait,
    slot: Slot,
    sku: Option<&str>,
    after: Option<StockPlace>,
    limit: usize,
) -> Result<Vec<stock::Model>, Error> {
    use stock::{Column, Entity};
    let mut rows = Entity::find();
    if let Some(sku) = sku {
        rows = rows.filter(Column::Sku.eq(sku));
    }
    if let Some(StockPlace { sku, location }) = after {
        let columns = [Column::Sku, Column::Location].map(|column| Expr::col((Entity, column)));
        rows = rows.filter(Expr::tuple(columns).gt(Expr::tuple([sku.into(), location.into()])));
    }
    let rows = rows.order_by_asc(Column::Sku).order_by_asc(Column::Location);
    tradewind_sql::page(db, slot.select(rows), [Column::Sku, Column::Location], limit).await
}

#[derive(FromQueryResult)]
struct TakenSum {
    sku: String,
    location: String,
    first: i64,
    units: i64,
    weighed: i64,
}

/// What was taken of these SKUs from a day to another, which is among them, by SKU and location.
///
/// # Errors
/// When the database fails.
pub(crate) async fn taken(
    connection: &impl ConnectionTrait,
    slot: Slot,
    skus: &[String],
    (from, to): (i64, i64),
) -> Result<BTreeMap<(String, String), Taken>, Error> {
    use stock_taken::{Column, Entity};
    let weighed = Expr::col((Entity, Column::Units)).mul(Expr::col((Entity, Column::Day)).sub(Expr::val(from)));
    let sums = Entity::find()
        .select_only()
        .column(Column::Sku)
        .column(Column::Location)
        .column_as(Column::Day.min(), "first")
        .column_as(Column::Units.sum().cast_as("BIGINT"), "units")
        .column_as(weighed.sum().cast_as("BIGINT"), "weighed")
        .filter(Column::Sku.is_in(skus))
        .filter(Column::Day.between(from, to))
        .group_by(Column::Sku)
        .group_by(Column::Location);
    let sums: Vec<TakenSum> = slot.select(sums).into_model().all(connection).await.map_err(db)?;
    let of = |TakenSum { sku, location, first, units, weighed }: TakenSum| {
        ((sku, location), taken_since(first, units, weighed, (from, to)))
    };
    Ok(sums.into_iter().map(of).collect())
}

/// What was taken since the `first` day on which anything was of these: `weighed` by the first of these.
pub(crate) fn taken_since(first: i64, units: i64, weighed: i64, (from, to): (i64, i64)) -> Taken {
    // From the first day on, and no longer from the first that is looked at.
    let before = units.saturating_mul(first.saturating_sub(from));
    Taken { days: to.saturating_sub(first).saturating_add(1), units, weighed: weighed.saturating_sub(before) }
}

/// Where a page ends that ends with this.
pub(crate) fn sale_place(row: &sold::Model) -> SalePlace {
    SalePlace { start: row.start, key: row.key.clone(), currency: row.currency.clone() }
}

/// Where a page ends that ends with this.
pub(crate) fn stock_place(row: &stock::Model) -> StockPlace {
    StockPlace { sku: row.sku.clone(), location: row.location.clone() }
}
