//! An order under what it is listed by.

use sea_orm::entity::prelude::*;

/// One row of `order_list`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_list")]
pub struct Model {
    /// The order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// Whose it is.
    pub customer_id: String,
    /// How it stands, as the contract's number.
    pub status: i64,
    /// How many events it has.
    pub version: i64,
    /// When it was placed, in microseconds since the Unix epoch.
    pub created: i64,
    /// The contract's message, encoded, without that time, and without who receives it but in rows of releases before.
    pub body: Vec<u8>,
    /// When it last changed, in microseconds since the Unix epoch.
    pub updated: i64,
    /// Currency of its total.
    pub currency: String,
    /// Minor units of its total.
    pub total_minor: i64,
    /// The country it goes to.
    pub country: String,
    /// Who receives it, sealed.
    pub recipient: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
