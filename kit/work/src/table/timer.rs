//! A deadline.

use sea_orm::entity::prelude::*;

/// One row of `timer`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "timer")]
pub struct Model {
    /// Which worker fires it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// What it concerns.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// When, in microseconds since the Unix epoch.
    pub due: i64,
    /// What its handler needs to know.
    pub payload: Vec<u8>,
    /// What it belongs to.
    pub correlation: String,
    /// The event that led to it, or empty.
    pub causation: String,
    /// The trace in which it was set.
    pub traceparent: String,
}

impl ActiveModelBehavior for ActiveModel {}
