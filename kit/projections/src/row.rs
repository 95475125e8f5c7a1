//! The table of projections; times are microseconds since the Unix epoch.

use sea_orm::entity::prelude::*;

/// One row of `projection`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "projection")]
pub struct Model {
    /// The projection.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The slot that is read.
    pub slot: i64,
    /// The oldest version that has written to it.
    pub version: i64,
    /// Since when it is read; 0 where it always was.
    pub since: i64,
    /// When somebody asked for it to be built anew.
    pub asked: Option<i64>,
    /// The version that is built in the other slot.
    pub building: Option<i64>,
    /// Since when.
    pub begun: Option<i64>,
    /// What keeps it from being built.
    pub failure: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
