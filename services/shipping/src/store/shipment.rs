//! How the shipment of an order stands, as the contract's message.

use sea_orm::entity::prelude::*;

/// One row of `shipment`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "shipment")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The message, encoded.
    pub shipment: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
