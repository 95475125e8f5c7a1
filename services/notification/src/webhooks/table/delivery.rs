//! An event that an endpoint is told of.

use sea_orm::entity::prelude::*;

/// One row of `webhook_delivery`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    /// The event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: String,
    /// Who is told of it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub endpoint_id: String,
    /// The context that has recorded it.
    pub context: String,
    /// Where it is in that context's log: what is about one thing is in one partition of it, and told in that order.
    pub position: i64,
    /// Where it is listed: what was read later has the larger one.
    pub place: i64,
    /// The event's full name.
    pub event_type: String,
    /// What it is about.
    pub subject: String,
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
    /// Since when it is in that state.
    pub since: i64,
}

impl ActiveModelBehavior for ActiveModel {}
