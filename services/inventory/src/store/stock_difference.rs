//! Counters of a level that are not what its movements come to.

use sea_orm::entity::prelude::*;

use super::Private;

/// One row of `stock_difference`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_difference")]
pub struct Model {
    /// Which it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub difference_id: String,
    /// What.
    pub sku: String,
    /// Where.
    pub location: String,
    /// What had arrived, by the counters.
    pub counted_received: i64,
    /// What had left, by the counters.
    pub counted_shipped: i64,
    /// What was set aside, by the counters.
    pub counted_reserved: i64,
    /// What had arrived, by the movements.
    pub moved_received: i64,
    /// What had left, by the movements.
    pub moved_shipped: i64,
    /// What was set aside, by the movements.
    pub moved_reserved: i64,
    /// When it was found to be so, in microseconds since the Unix epoch.
    pub found: i64,
    /// When it was resolved, in the same.
    pub resolved: Option<i64>,
    /// The contract's number of how it was resolved.
    pub resolution: i64,
    /// What is said of that, or empty.
    pub note: Private,
    /// Who resolved it, or empty.
    pub resolved_by: Private,
}

impl ActiveModelBehavior for ActiveModel {}
