//! Products as they are now.

use contracts::tradewind::catalog::v1::Product;
use contracts::tradewind::money::v1::Money as MoneyMessage;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};
use time::OffsetDateTime;
use tradewind_domain::{Error, Money};
use tradewind_events::{from_micros, micros, page_text, timestamp};

use crate::domain::Listing;

/// One row of `product`.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct ProductRow {
    /// The product.
    pub product_id: String,
    /// What the warehouse calls it.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// What is said about it.
    pub description: String,
    /// Currency of its price.
    pub currency: String,
    /// Minor units of one unit's price.
    pub price: i64,
    /// It can no longer be ordered.
    pub retired: bool,
    /// When it was listed, in microseconds since the Unix epoch.
    pub created: i64,
    /// When it last changed, likewise.
    pub updated: i64,
}

const COLUMNS: &str = "product_id, sku, name, description, currency, price, retired, created, updated";

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
pub async fn insert(db: &impl ConnectionTrait, row: &ProductRow) -> Result<bool, Error> {
    let text = format!(
        "INSERT INTO product ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (product_id) DO NOTHING"
    );
    let values: [Value; 9] = [
        row.product_id.as_str().into(),
        row.sku.as_str().into(),
        row.name.as_str().into(),
        row.description.as_str().into(),
        row.currency.as_str().into(),
        row.price.into(),
        row.retired.into(),
        row.created.into(),
        row.updated.into(),
    ];
    let done = db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), text, values)).await;
    Ok(done.map_err(tradewind_events::db)?.rows_affected() == 1)
}

/// Sets the price and returns the product as it is then.
///
/// # Errors
/// When the database fails, or the product is not there.
pub async fn reprice(
    db: &impl ConnectionTrait,
    product_id: &str,
    price: Money,
    now: OffsetDateTime,
) -> Result<ProductRow, Error> {
    let text = format!("UPDATE product SET price = $2, updated = $3 WHERE product_id = $1 RETURNING {COLUMNS}");
    there(one(db, text, [product_id.into(), price.minor().into(), micros(now).into()]).await?)
}

/// Takes the product off sale and returns it as it is then.
///
/// # Errors
/// When the database fails, or the product is not there.
pub async fn retire(db: &impl ConnectionTrait, product_id: &str, now: OffsetDateTime) -> Result<ProductRow, Error> {
    let text = format!("UPDATE product SET retired = TRUE, updated = $2 WHERE product_id = $1 RETURNING {COLUMNS}");
    there(one(db, text, [product_id.into(), micros(now).into()]).await?)
}

/// The product with this id.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &impl ConnectionTrait, product_id: &str) -> Result<Option<ProductRow>, Error> {
    one(db, format!("SELECT {COLUMNS} FROM product WHERE product_id = $1"), [product_id.into()]).await
}

/// Up to `limit` products that follow the id `after`, by id; from the first with an empty one.
///
/// # Errors
/// When the database fails.
pub async fn page(db: &impl ConnectionTrait, after: &str, limit: usize) -> Result<Vec<ProductRow>, Error> {
    let rest = "product WHERE product_id > $1 ORDER BY product_id";
    let text = page_text(COLUMNS, "LENGTH(name) + LENGTH(description)", rest, "$2");
    let values: [Value; 2] = [after.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    ProductRow::find_by_statement(Statement::from_sql_and_values(db.get_database_backend(), text, values))
        .all(db)
        .await
        .map_err(tradewind_events::db)
}

async fn one<const N: usize>(
    db: &impl ConnectionTrait,
    text: String,
    values: [Value; N],
) -> Result<Option<ProductRow>, Error> {
    ProductRow::find_by_statement(Statement::from_sql_and_values(db.get_database_backend(), text, values))
        .one(db)
        .await
        .map_err(tradewind_events::db)
}

fn there(row: Option<ProductRow>) -> Result<ProductRow, Error> {
    row.ok_or_else(|| Error::internal("a product with events has no row"))
}
