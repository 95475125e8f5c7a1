//! An event that an endpoint is told of.

use sea_orm::entity::prelude::*;

/// One row of `webhook_delivery`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    /// Who is told.
    #[sea_orm(primary_key, auto_increment = false)]
    pub endpoint_id: String,
    /// Of which event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: String,
    /// What is told first has the smaller one.
    pub place: i64,
    /// The event's full name.
    pub event_type: String,
    /// What it is about: what is told of one thing is told in order.
    pub subject: String,
    /// What is told, as JSON.
    pub body: String,
    /// The contract's number.
    pub state: i64,
    /// Requests since it was last to be told.
    pub attempts: i64,
    /// When the next is due.
    pub due: i64,
    /// Status of the last answer; 0 where there was none.
    pub status: i64,
    /// Why the last request came to nothing; empty where it did not.
    pub failure: String,
    /// When it was to be told first.
    pub created: i64,
    /// When it was taken, or given up.
    pub settled: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
