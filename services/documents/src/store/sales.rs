//! The rows of sales and of products' names.

use std::collections::HashMap;
use std::sync::LazyLock;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use tradewind_domain::Error;
use tradewind_projections::{Slot, Table, Writer};
use tradewind_sql::db;
use tradewind_store::Upsert;

use super::product_name;
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
static NAME: LazyLock<Table<product_name::Entity>> =
    LazyLock::new(|| Table::replacing([product_name::Column::ProductId]));

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

/// Writes what a product is called.
pub(crate) fn put_name(writer: &mut Writer<'_>, product_id: &str, name: &str) {
    let row = product_name::Model { product_id: product_id.to_owned(), name: name.to_owned() };
    writer.put(&NAME, row);
}

/// What is known of an order's sale, if anything is.
///
/// # Errors
/// When the database fails.
pub(crate) async fn find(db: &impl ConnectionTrait, slot: Slot, order_id: &str) -> Result<Option<Model>, Error> {
    let rows = Entity::find().filter(Column::OrderId.eq(order_id));
    slot.select(rows).one(db).await.map_err(self::db)
}

/// What these products are called, as far as it is known.
///
/// # Errors
/// When the database fails.
pub(crate) async fn names(
    db: &impl ConnectionTrait,
    slot: Slot,
    products: impl IntoIterator<Item = &str>,
) -> Result<HashMap<String, String>, Error> {
    let rows = product_name::Entity::find().filter(product_name::Column::ProductId.is_in(products));
    let rows = slot.select(rows).all(db).await.map_err(self::db)?;
    Ok(rows.into_iter().map(|row| (row.product_id, row.name)).collect())
}
