//! What was taken.

use sea_orm::entity::prelude::*;

/// One row of `stock_taken`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_taken")]
pub struct Model {
    /// What.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sku: String,
    /// Where.
    #[sea_orm(primary_key, auto_increment = false)]
    pub location: String,
    /// On which day.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: i64,
    /// Units that were reserved, less those that were released.
    pub units: i64,
}

impl ActiveModelBehavior for ActiveModel {}
