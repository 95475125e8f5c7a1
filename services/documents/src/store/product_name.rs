//! What products are called.

use sea_orm::entity::prelude::*;

/// One row of `product_name`.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "product_name")]
pub struct Model {
    /// The product.
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: String,
    /// What the shop calls it.
    pub name: String,
}

impl ActiveModelBehavior for ActiveModel {}
