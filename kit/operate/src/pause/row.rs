//! The table of pauses; times are microseconds since the Unix epoch.

use sea_orm::entity::prelude::*;

/// One row of `pause`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pause")]
pub struct Model {
    /// The consumer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub consumer: String,
    /// Since when it is paused.
    pub since: i64,
    /// Whoever asked for it.
    pub principal: String,
    /// Why.
    pub reason: String,
}

impl ActiveModelBehavior for ActiveModel {}
