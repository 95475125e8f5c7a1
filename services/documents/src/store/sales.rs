//! The rows of sales.

use std::sync::LazyLock;

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityName, EntityTrait, QueryFilter};
use tradewind_domain::Error;
use tradewind_projections::{Slot, Table, Writer};
use tradewind_sql::db;
use tradewind_store::Upsert;

use super::sale::{Column, Entity, Model};

/// Writes these columns, and leaves what other events have written.
fn part<const N: usize>(columns: [Column; N]) -> Table<Entity> {
    Table::new(|| Upsert::new(OnConflict::column(Column::OrderId).update_columns(columns).to_owned()))
}

static PLACED: LazyLock<Table<Entity>> = LazyLock::new(|| part([Column::CustomerId, Column::Placed, Column::Said]));
static CONFIRMED: LazyLock<Table<Entity>> =
    LazyLock::new(|| part([Column::Confirmed, Column::Charged, Column::ChargedIn]));
static REFUNDED: LazyLock<Table<Entity>> =
    LazyLock::new(|| part([Column::Refunded, Column::PaidBack, Column::PaidBackIn]));

/// Writes whose the order is, and what was ordered.
pub(crate) fn put_placed(writer: &mut Writer<'_>, row: Model) {
    writer.put(&PLACED, row);
}

/// Writes what was charged.
pub(crate) fn put_confirmed(writer: &mut Writer<'_>, row: Model) {
    writer.put(&CONFIRMED, row);
}

/// Writes what was paid back.
pub(crate) fn put_refunded(writer: &mut Writer<'_>, row: Model) {
    writer.put(&REFUNDED, row);
}

/// What is known of an order's sale, if anything is.
///
/// # Errors
/// When the database fails.
pub(crate) async fn find(db: &impl ConnectionTrait, slot: Slot, order_id: &str) -> Result<Option<Model>, Error> {
    let rows = Entity::find().filter(Column::OrderId.eq(order_id));
    slot.select(rows).one(db).await.map_err(self::db)
}

/// Lets the row of an order say less.
///
/// # Errors
/// When the database fails.
pub(crate) async fn reduce(db: &impl ConnectionTrait, slot: Slot, order_id: &str, said: Vec<u8>) -> Result<(), Error> {
    let mut update = Query::update();
    update
        .table(slot.table(Entity.table_name()))
        .value(Column::Said, said)
        .and_where(Expr::col(Column::OrderId).eq(order_id));
    db.execute(&update).await.map(drop).map_err(self::db)
}
