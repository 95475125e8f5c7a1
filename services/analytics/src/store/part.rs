//! Who has done its part after an event; times are microseconds since the Unix epoch.

use sea_orm::entity::prelude::*;

/// One row of `part`.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "part")]
pub struct Model {
    /// The id of the event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub cause: String,
    /// Who has done its part, as a number with a bit for each.
    pub done: i64,
    /// When the last of them had.
    pub last: i64,
}

impl ActiveModelBehavior for ActiveModel {}
