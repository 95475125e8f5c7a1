//! What is known of the sale of an order; times are microseconds since the Unix epoch, amounts minor units.

use sea_orm::entity::prelude::*;

/// One row of `sale`. Any of its parts may come first.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sale")]
pub struct Model {
    /// The order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// Whose it is.
    pub customer_id: Option<String>,
    /// When it was placed.
    pub placed: Option<i64>,
    /// Who receives it and what was ordered: the contract's `OrderPlaced`, encoded, of which nothing else is kept. It is sealed under
    /// the key of the order, but for what everybody may know.
    pub said: Option<Vec<u8>>,
    /// When it was confirmed.
    pub confirmed: Option<i64>,
    /// What was charged then.
    pub charged: Option<i64>,
    /// In which currency.
    pub charged_in: Option<String>,
    /// When money was paid back.
    pub refunded: Option<i64>,
    /// How much.
    pub paid_back: Option<i64>,
    /// In which currency.
    pub paid_back_in: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
