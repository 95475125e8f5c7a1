//! What was tried how often.

use sea_orm::entity::prelude::*;

/// One row of `throttle`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "throttle")]
pub struct Model {
    /// SHA-256 of what counts together.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// When the next one would be on time: from then on it is as if nothing had been tried.
    pub until: i64,
}

impl ActiveModelBehavior for ActiveModel {}
