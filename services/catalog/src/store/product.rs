//! Products as they are now; times are microseconds since the Unix epoch.

use sea_orm::entity::prelude::*;

/// One row of `product`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "product")]
pub struct Model {
    /// The product.
    #[sea_orm(primary_key, auto_increment = false)]
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
    /// When it was listed.
    pub created: i64,
    /// When it last changed.
    pub updated: i64,
}

impl ActiveModelBehavior for ActiveModel {}
