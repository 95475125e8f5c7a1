//! A line of an order under what its order is found by.

use sea_orm::entity::prelude::*;

/// One row of `order_line`; it never changes.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_line")]
pub struct Model {
    /// The order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The product; an order has one line of each.
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: String,
    /// What the warehouse called it then.
    pub sku: String,
    /// What it was called then.
    pub name: String,
    /// All of these in lower case, to be searched.
    pub folded: String,
}

impl ActiveModelBehavior for ActiveModel {}
