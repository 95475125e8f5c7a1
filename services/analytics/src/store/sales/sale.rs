//! Orders, as far as sales are concerned; times are microseconds since the Unix epoch, days are counted from it.

use sea_orm::entity::prelude::*;

/// One row of `sale`: an order, how far it has come, and how far that has been counted.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sale")]
pub struct Model {
    /// The order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// Whose it is.
    pub customer_id: String,
    /// Where it goes.
    pub country: String,
    /// In what it is paid.
    pub currency: String,
    /// Units in it.
    pub units: i64,
    /// What it costs, in minor units.
    pub amount: i64,
    /// The day on which it was placed.
    pub day: i64,
    /// The first day of that week.
    pub week: i64,
    /// The first day of that month.
    pub month: i64,
    /// When it was placed; none while that has not been read.
    pub placed: Option<i64>,
    /// When its stock was confirmed.
    pub stock_confirmed: Option<i64>,
    /// When it was paid.
    pub paid: Option<i64>,
    /// When it was confirmed.
    pub confirmed: Option<i64>,
    /// When it left.
    pub shipped: Option<i64>,
    /// When it arrived.
    pub delivered: Option<i64>,
    /// When it was cancelled.
    pub cancelled: Option<i64>,
    /// Why, by the contract's number.
    pub reason: i64,
    /// 1 while something of it is not counted: within a transaction.
    pub changed: i64,
    /// What of it is counted: the bits of its steps.
    pub counted: i64,
    /// The cohort among which it is counted.
    pub cohort: String,
}

impl ActiveModelBehavior for ActiveModel {}
