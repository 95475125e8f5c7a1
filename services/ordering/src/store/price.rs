//! What the catalogue said last about a product.

use sea_orm::entity::prelude::*;

/// One row of `price_list`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "price_list")]
pub struct Model {
    /// The product.
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: String,
    /// What the warehouse calls it.
    pub sku: String,
    /// What it is called; empty where it was listed before that was kept.
    pub name: String,
    /// Currency of its price.
    pub currency: String,
    /// Minor units of one unit's price.
    pub unit_minor: i64,
    /// It can no longer be ordered.
    pub retired: bool,
}

impl ActiveModelBehavior for ActiveModel {}
