//! Products: read, added and changed.

use contracts::tradewind::catalog::v1::Product;
use contracts::tradewind::money::v1::Money as MoneyMessage;
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    TryInsertResult,
};
use time::OffsetDateTime;
use tradewind_domain::{Error, Money};
use tradewind_sql::{db, from_micros, micros, timestamp};

use super::product::{ActiveModel, Column, Entity, Model as ProductRow};
use crate::domain::Listing;

impl ProductRow {
    /// A product that is listed `now`.
    #[must_use]
    pub fn listed(listing: &Listing, now: OffsetDateTime) -> Self {
        let Listing { product_id, sku, name, description, price } = listing.clone();
        let currency = price.currency().code().to_owned();
        let (created, updated) = (micros(now), micros(now));
        Self { product_id, sku, name, description, currency, price: price.minor(), retired: false, created, updated }
    }
}

impl From<ProductRow> for Product {
    fn from(row: ProductRow) -> Self {
        let ProductRow { product_id, sku, name, description, currency, price, retired, created, updated } = row;
        Self {
            product_id,
            sku,
            name,
            description,
            price: Some(MoneyMessage { currency, minor: price }),
            retired,
            create_time: Some(timestamp(from_micros(created))),
            update_time: Some(timestamp(from_micros(updated))),
        }
    }
}

/// Adds `row`; tells whether its id was free.
///
/// # Errors
/// When the database fails.
pub async fn insert(connection: &impl ConnectionTrait, row: &ProductRow) -> Result<bool, Error> {
    let insert = Entity::insert(row.clone().into_active_model()).on_conflict_do_nothing();
    let done = insert.exec_without_returning(connection).await.map_err(db)?;
    Ok(matches!(done, TryInsertResult::Inserted(1)))
}

/// Sets the price and returns the product as it is then.
///
/// # Errors
/// When the database fails, or the product, which has events, has no row.
pub async fn reprice(
    connection: &impl ConnectionTrait,
    product_id: &str,
    price: Money,
    now: OffsetDateTime,
) -> Result<ProductRow, Error> {
    let changed = ActiveModel { price: Set(price.minor()), ..at(product_id, now) };
    changed.update(connection).await.map_err(db)
}

/// Takes the product off sale and returns it as it is then.
///
/// # Errors
/// As [`reprice`].
pub async fn retire(
    connection: &impl ConnectionTrait,
    product_id: &str,
    now: OffsetDateTime,
) -> Result<ProductRow, Error> {
    ActiveModel { retired: Set(true), ..at(product_id, now) }.update(connection).await.map_err(db)
}

/// The product with this id.
///
/// # Errors
/// When the database fails.
pub async fn find(connection: &impl ConnectionTrait, product_id: &str) -> Result<Option<ProductRow>, Error> {
    Entity::find_by_id(product_id).one(connection).await.map_err(db)
}

/// Up to `limit` products that follow the id `after`, by id; from the first with an empty one.
///
/// # Errors
/// When the database fails.
pub async fn page(connection: &impl ConnectionTrait, after: &str, limit: usize) -> Result<Vec<ProductRow>, Error> {
    let rows = Entity::find().filter(Column::ProductId.gt(after)).order_by_asc(Column::ProductId);
    tradewind_sql::page(connection, rows, [Column::Name, Column::Description], limit).await
}

/// A change of the product at this time.
fn at(product_id: &str, now: OffsetDateTime) -> ActiveModel {
    ActiveModel { product_id: Unchanged(product_id.to_owned()), updated: Set(micros(now)), ..Default::default() }
}
