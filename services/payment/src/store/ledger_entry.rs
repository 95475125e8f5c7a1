//! What went from one account to another.

use sea_orm::entity::prelude::*;

/// One row of `ledger_entry`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_entry")]
pub struct Model {
    /// The event that it follows from.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: String,
    /// Which of the event's entries it is, from 1 on.
    #[sea_orm(primary_key, auto_increment = false)]
    pub leg: i64,
    /// The order.
    pub order_id: String,
    /// The contract's number of the account that is debited.
    pub debit: i64,
    /// The contract's number of the account that is credited.
    pub credit: i64,
    /// The currency.
    pub currency: String,
    /// Minor units of it, more than 0.
    pub minor: i64,
    /// The provider's id of what moved, or empty.
    pub reference: String,
    /// The partition of the log that has the event.
    pub partition: i64,
    /// The event's position there.
    pub position: i64,
    /// When the event was recorded, in microseconds since the Unix epoch.
    pub time: i64,
}

impl ActiveModelBehavior for ActiveModel {}
