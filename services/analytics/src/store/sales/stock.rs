//! What is available.

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
    /// Units that are not reserved.
    pub available: i64,
}

impl ActiveModelBehavior for ActiveModel {}
