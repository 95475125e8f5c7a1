//! Units of one SKU at one location. The table's checks make negative stock impossible, whatever a statement tries.

use sea_orm::entity::prelude::*;

/// One row of `stock`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock")]
pub struct Model {
    /// What.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sku: String,
    /// Where.
    #[sea_orm(primary_key, auto_increment = false)]
    pub location: String,
    /// All that ever arrived, as corrected.
    pub received: i64,
    /// All that ever left.
    pub shipped: i64,
    /// What is set aside for orders.
    pub reserved: i64,
    /// How often something arrived or was corrected, which is the version of the level's stream.
    pub receipts: i64,
}

impl ActiveModelBehavior for ActiveModel {}
