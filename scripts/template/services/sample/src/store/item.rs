//! Items as they are now; times are microseconds since the Unix epoch.

use sea_orm::entity::prelude::*;

/// One row of `item`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "item")]
pub struct Model {
    /// The item.
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: String,
    /// What it is called.
    pub name: String,
    /// When it was added.
    pub created: i64,
}

impl ActiveModelBehavior for ActiveModel {}
