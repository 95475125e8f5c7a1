//! Since when customers are customers.

use sea_orm::entity::prelude::*;

/// One row of `customer`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "customer")]
pub struct Model {
    /// The customer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub customer_id: String,
    /// The month of the first order that has been read, as `2026-11`.
    pub cohort: String,
    /// 1 while orders are counted among another cohort: within a transaction.
    pub moved: i64,
}

impl ActiveModelBehavior for ActiveModel {}
