//! Levels: what is where.

use contracts::tradewind::inventory::v1::{StockCount, StockLevel};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
};
use tradewind_domain::Error;
use tradewind_sql::{chunks, in_turn, padded};

use super::Of;
use super::level::{ActiveModel, Column, Entity, Model as StockRow};
use crate::domain::{Level, Levels};

impl From<StockRow> for StockLevel {
    fn from(row: StockRow) -> Self {
        let StockRow { sku, location, received, shipped, reserved, .. } = row;
        let on_hand = received - shipped;
        Self { sku, location, received, shipped, on_hand, reserved, available: on_hand - reserved }
    }
}

impl From<StockRow> for Level {
    fn from(row: StockRow) -> Self {
        let StockRow { sku, location, received, shipped, reserved, .. } = row;
        Self { sku, location, available: received - shipped - reserved }
    }
}

impl From<&StockRow> for StockCount {
    fn from(row: &StockRow) -> Self {
        Self { received: row.received, shipped: row.shipped, reserved: row.reserved }
    }
}

/// The units of `skus` that can still be set aside, by SKU and location; locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub(super) async fn lock_levels(db: &impl ConnectionTrait, skus: &[&str]) -> Result<Vec<Level>, Error> {
    let mut levels = Vec::new();
    for skus in chunks(skus, 1) {
        let named = padded(skus, skus.last().copied().unwrap_or_default());
        let mut some = Entity::find().filter(Column::Sku.is_in(named));
        some = some.order_by_asc(Column::Sku).order_by_asc(Column::Location);
        in_turn(db, QueryTrait::query(&mut some)).lock_with_tables(LockType::Update, [Entity]);
        levels.extend(some.all(db).await.map_err(tradewind_sql::db)?.into_iter().map(Level::from));
    }
    Ok(levels)
}

/// Adds `quantity` received units and returns the level after it; `None`, and nothing is added, when it would overflow.
///
/// # Errors
/// When the database fails.
pub async fn receive(
    db: &impl ConnectionTrait,
    sku: &str,
    location: &str,
    quantity: i64,
) -> Result<Option<StockRow>, Error> {
    let (sku, location) = (sku.to_owned(), location.to_owned());
    let first = StockRow { sku, location, received: quantity, shipped: 0, reserved: 0, receipts: 1 };
    let present = |column: Column| Expr::col((Entity, column));
    let mut again = OnConflict::columns([Column::Sku, Column::Location]);
    again
        .value(Column::Received, present(Column::Received).add(Expr::col(("excluded", Column::Received))))
        .value(Column::Receipts, present(Column::Receipts).add(1))
        .action_and_where(present(Column::Received).lte(i64::MAX - quantity));
    let insert = Entity::insert(first.into_active_model()).on_conflict(again);
    let mut levels = insert.exec_with_returning_many(db).await.map_err(tradewind_sql::db)?;
    Ok(levels.pop())
}

/// The levels of one SKU, by location.
///
/// # Errors
/// When the database fails.
pub async fn levels_of(db: &impl ConnectionTrait, sku: &str) -> Result<Vec<StockRow>, Error> {
    let levels = Entity::find().filter(Column::Sku.eq(sku)).order_by_asc(Column::Location);
    levels.all(db).await.map_err(tradewind_sql::db)
}

/// Up to `limit` levels that follow `after`, by SKU and location; from the first without it.
///
/// # Errors
/// When the database fails.
pub async fn page(
    db: &impl ConnectionTrait,
    after: Option<(&str, &str)>,
    limit: usize,
) -> Result<Vec<StockRow>, Error> {
    rows(after, limit)?.all(db).await.map_err(tradewind_sql::db)
}

/// What the counters say of up to `limit` levels that follow `after`, by SKU and location.
///
/// # Errors
/// When the database fails.
pub(crate) async fn counters(
    db: &impl ConnectionTrait,
    of: &Of,
    after: Option<(&str, &str)>,
    limit: usize,
) -> Result<Levels, Error> {
    let levels = rows(after, limit)?.filter(of.rows(Column::Sku, Column::Location));
    let levels = levels.all(db).await.map_err(tradewind_sql::db)?;
    Ok(levels
        .into_iter()
        .map(|row| {
            let count = StockCount::from(&row);
            ((row.sku, row.location), count)
        })
        .collect())
}

fn rows(after: Option<(&str, &str)>, limit: usize) -> Result<Select<Entity>, Error> {
    let (sku, location) = after.unwrap_or_default();
    let key = Expr::tuple([Column::Sku, Column::Location].map(|column| Expr::col((Entity, column))));
    let levels = Entity::find()
        .filter(key.gt(Expr::tuple([Expr::val(sku), Expr::val(location)])))
        .order_by_asc(Column::Sku)
        .order_by_asc(Column::Location);
    Ok(levels.limit(u64::try_from(limit).map_err(Error::internal)?))
}

/// A level as it stands, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub(crate) async fn lock_level(
    db: &impl ConnectionTrait,
    sku: &str,
    location: &str,
) -> Result<Option<StockRow>, Error> {
    let mut level = Entity::find_by_id((sku.to_owned(), location.to_owned()));
    in_turn(db, QueryTrait::query(&mut level)).lock_with_tables(LockType::Update, [Entity]);
    level.one(db).await.map_err(tradewind_sql::db)
}

/// Sets the counters of a level that is locked to what the row says.
///
/// # Errors
/// When the database fails, or refuses such counters.
pub(crate) async fn set_counters(db: &impl ConnectionTrait, row: &StockRow) -> Result<(), Error> {
    let counters = ActiveModel {
        received: Set(row.received),
        shipped: Set(row.shipped),
        reserved: Set(row.reserved),
        receipts: Set(row.receipts),
        ..ActiveModel::default()
    };
    let this = Entity::update_many().set(counters).filter(Column::Sku.eq(&row.sku));
    this.filter(Column::Location.eq(&row.location)).exec(db).await.map(drop).map_err(tradewind_sql::db)
}
