//! What each product costs and what the warehouse calls it.

use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use tradewind_domain::{Error, Money};
use tradewind_events::{chunks, db};

use crate::domain::{Assortment, Offer};

/// Puts a product on sale; its price and SKU replace what was known.
pub(crate) async fn put(
    connection: &impl ConnectionTrait,
    product_id: &str,
    sku: &str,
    price: Money,
) -> Result<(), Error> {
    let text = "INSERT INTO price_list (product_id, sku, currency, unit_minor, retired) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (product_id) DO UPDATE SET sku = excluded.sku, currency = excluded.currency, \
        unit_minor = excluded.unit_minor, retired = excluded.retired";
    let values = [product_id.into(), sku.into(), price.currency().code().into(), price.minor().into(), false.into()];
    execute(connection, text, values).await?;
    Ok(())
}

/// Changes a price; `false` when the product is unknown.
pub(crate) async fn reprice(connection: &impl ConnectionTrait, product_id: &str, price: Money) -> Result<bool, Error> {
    let text = "UPDATE price_list SET currency = $2, unit_minor = $3 WHERE product_id = $1";
    execute(connection, text, [product_id.into(), price.currency().code().into(), price.minor().into()]).await
}

/// Takes a product off sale; `false` when it is unknown.
pub(crate) async fn retire(connection: &impl ConnectionTrait, product_id: &str) -> Result<bool, Error> {
    execute(connection, "UPDATE price_list SET retired = $2 WHERE product_id = $1", [product_id.into(), true.into()])
        .await
}

/// The offers for these products; unknown ones are left out.
pub(crate) async fn find<'a>(
    connection: &impl ConnectionTrait,
    product_ids: impl Iterator<Item = &'a str>,
) -> Result<Assortment, Error> {
    let product_ids: Vec<Value> = product_ids.map(Value::from).collect();
    let mut rows = Vec::with_capacity(product_ids.len());
    for product_ids in chunks(&product_ids, 1) {
        let places: Vec<String> = (1..=product_ids.len()).map(|place| format!("${place}")).collect();
        let text = format!(
            "SELECT product_id, sku, currency, unit_minor, retired FROM price_list WHERE product_id IN ({})",
            places.join(", ")
        );
        let values = product_ids.iter().cloned();
        let statement = Statement::from_sql_and_values(connection.get_database_backend(), text, values);
        rows.append(&mut connection.query_all_raw(statement).await.map_err(db)?);
    }
    rows.iter().map(offer).collect()
}

fn offer(row: &QueryResult) -> Result<(String, Offer), Error> {
    let currency: String = row.try_get("", "currency").map_err(db)?;
    let minor: i64 = row.try_get("", "unit_minor").map_err(db)?;
    let offer = Offer {
        sku: row.try_get("", "sku").map_err(db)?,
        unit_price: Money::new(&currency, minor).map_err(Error::internal)?,
        retired: row.try_get("", "retired").map_err(db)?,
    };
    Ok((row.try_get("", "product_id").map_err(db)?, offer))
}

async fn execute(
    connection: &impl ConnectionTrait,
    text: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<bool, Error> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), text, values);
    let done = connection.execute_raw(statement).await.map_err(db)?;
    Ok(done.rows_affected() > 0)
}
