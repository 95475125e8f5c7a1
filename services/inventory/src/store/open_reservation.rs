//! A reservation that holds stock.

use sea_orm::entity::prelude::*;

/// One row of `open_reservation`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "open_reservation")]
pub struct Model {
    /// For which order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The contract's message, encoded.
    pub reservation: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
