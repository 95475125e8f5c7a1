//! What one event did to one SKU at one location.

use sea_orm::entity::prelude::*;

use super::Private;

/// One row of `stock_movement`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_movement")]
pub struct Model {
    /// What.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sku: String,
    /// Where.
    #[sea_orm(primary_key, auto_increment = false)]
    pub location: String,
    /// The event that it follows from.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: String,
    /// Which of the event's movements it is, from 1 on.
    #[sea_orm(primary_key, auto_increment = false)]
    pub line: i64,
    /// The contract's number of what it did.
    pub kind: i64,
    /// Units more that have arrived.
    pub received: i64,
    /// Units more that have left.
    pub shipped: i64,
    /// Units more that are set aside.
    pub reserved: i64,
    /// The order, or empty.
    pub order_id: String,
    /// Why, or empty.
    pub reason: Private,
    /// Who says so, or empty.
    pub corrected_by: Private,
    /// The partition of the log that has the event.
    pub partition: i64,
    /// The event's position there.
    pub position: i64,
    /// When the event was recorded, in microseconds since the Unix epoch.
    pub time: i64,
}

impl ActiveModelBehavior for ActiveModel {}
