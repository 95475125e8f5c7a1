//! A call that is owed.

use sea_orm::entity::prelude::*;

/// One row of `intent`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "intent")]
pub struct Model {
    /// Which worker makes it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// What it concerns.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// What is to be done.
    pub action: String,
    /// What is needed to do it.
    pub payload: Vec<u8>,
    /// Another one with every write.
    pub generation: i64,
    /// How many attempts have failed.
    pub attempt: i64,
    /// When it can be claimed, in microseconds since the Unix epoch.
    pub due: i64,
    /// Who has claimed it, where that is written down.
    pub claimed_by: Option<String>,
    /// Until when, likewise.
    pub claimed_until: Option<i64>,
    /// What it belongs to.
    pub correlation: String,
    /// The event that led to it, or empty.
    pub causation: String,
    /// The trace in which it was written.
    pub traceparent: String,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
