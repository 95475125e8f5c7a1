//! What orders are of.

use sea_orm::entity::prelude::*;

/// One row of `sale_line`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sale_line")]
pub struct Model {
    /// The order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The product, of which an order has one line.
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: String,
    /// Units.
    pub units: i64,
    /// What they cost, in minor units of the order's currency.
    pub amount: i64,
}

impl ActiveModelBehavior for ActiveModel {}
