//! How the payment of an order stands.

use sea_orm::entity::prelude::*;

/// One row of `payment`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The contract's number.
    pub status: i64,
    /// Currency of what is asked for; empty where nothing was.
    pub currency: String,
    /// Minor units of it.
    pub minor: i64,
    /// Why it was declined, or empty.
    pub decline_reason: String,
    /// The provider's id of the charge, or empty.
    pub charge_id: String,
    /// The provider's id of the refund, or empty.
    pub refund_id: String,
    /// When it last changed, in microseconds since the Unix epoch.
    pub updated: i64,
    /// Currency of what was taken, which may not be what was asked for.
    pub captured_currency: Option<String>,
    /// Minor units of it.
    pub captured_minor: Option<i64>,
    /// In what the provider's answer was not what was asked for.
    pub mismatch: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
