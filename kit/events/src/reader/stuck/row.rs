//! The table by which every replica knows of stuck readers; times are microseconds since the Unix epoch.

use sea_orm::entity::prelude::*;

/// One row of `stuck`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stuck")]
pub struct Model {
    /// Whose reader it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub consumer: String,
    /// The context whose log it reads.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source: String,
    /// The partition of that log.
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition: i64,
    /// The last position that is done.
    pub position: i64,
    /// What keeps it, stable for programs.
    pub reason: String,
    /// The same for people.
    pub error: String,
    /// Since when it has tried in vain.
    pub since: i64,
}

impl ActiveModelBehavior for ActiveModel {}
