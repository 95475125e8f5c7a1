//! What each product costs and what the warehouse calls it.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};
use tradewind_domain::{Error, Money};
use tradewind_sql::{chunks, db};

use super::price::{ActiveModel, Column, Entity, Model};
use crate::domain::{Assortment, Offer};

/// Puts a product on sale; its price, name and SKU replace what was known.
pub(crate) async fn put(
    connection: &impl ConnectionTrait,
    product_id: &str,
    sku: &str,
    name: &str,
    price: Money,
) -> Result<(), Error> {
    let row = Model {
        product_id: product_id.to_owned(),
        sku: sku.to_owned(),
        name: name.to_owned(),
        currency: price.currency().code().to_owned(),
        unit_minor: price.minor(),
        retired: false,
    };
    let mut replace = OnConflict::column(Column::ProductId);
    replace.update_columns([Column::Sku, Column::Name, Column::Currency, Column::UnitMinor, Column::Retired]);
    let insert = Entity::insert(row.into_active_model()).on_conflict(replace);
    insert.exec_without_returning(connection).await.map(drop).map_err(db)
}

/// Changes a price; `false` when the product is unknown.
pub(crate) async fn reprice(connection: &impl ConnectionTrait, product_id: &str, price: Money) -> Result<bool, Error> {
    let (currency, unit_minor) = (Set(price.currency().code().to_owned()), Set(price.minor()));
    change(connection, product_id, ActiveModel { currency, unit_minor, ..ActiveModel::default() }).await
}

/// Takes a product off sale; `false` when it is unknown.
pub(crate) async fn retire(connection: &impl ConnectionTrait, product_id: &str) -> Result<bool, Error> {
    change(connection, product_id, ActiveModel { retired: Set(true), ..ActiveModel::default() }).await
}

/// The offers for these products; unknown ones are left out.
pub(crate) async fn find<'a>(
    connection: &impl ConnectionTrait,
    product_ids: impl Iterator<Item = &'a str>,
) -> Result<Assortment, Error> {
    let product_ids: Vec<&str> = product_ids.collect();
    let mut rows = Vec::with_capacity(product_ids.len());
    for product_ids in chunks(&product_ids, 1) {
        let some = Entity::find().filter(Column::ProductId.is_in(product_ids.iter().copied()));
        rows.append(&mut some.all(connection).await.map_err(db)?);
    }
    rows.into_iter().map(offer).collect()
}

fn offer(row: Model) -> Result<(String, Offer), Error> {
    let unit_price = Money::new(&row.currency, row.unit_minor).map_err(Error::internal)?;
    Ok((row.product_id, Offer { sku: row.sku, name: row.name, unit_price, retired: row.retired }))
}

async fn change(connection: &impl ConnectionTrait, product_id: &str, to: ActiveModel) -> Result<bool, Error> {
    let change = Entity::update_many().set(to).filter(Column::ProductId.eq(product_id));
    Ok(change.exec(connection).await.map_err(db)?.rows_affected > 0)
}
