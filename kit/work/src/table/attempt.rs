//! A failed attempt at a call.

use sea_orm::entity::prelude::*;

/// One row of `attempt`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempt")]
pub struct Model {
    /// What the call concerns.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// Which worker makes it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// The intent's.
    #[sea_orm(primary_key, auto_increment = false)]
    pub generation: i64,
    /// Where it is kept until a later one takes its place.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot: i64,
    /// What was to be done.
    pub action: String,
    /// Its number among the attempts of this intent, from 1.
    pub attempt: i64,
    /// When it had failed, in microseconds since the Unix epoch.
    pub time: i64,
    /// What the intent belongs to.
    pub correlation: String,
    /// Why.
    pub error: String,
}

impl ActiveModelBehavior for ActiveModel {}
