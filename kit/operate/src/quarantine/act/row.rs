//! The table of acts; times are microseconds since the Unix epoch.

use sea_orm::entity::prelude::*;
use tradewind_sql::Id;

/// One row of `act`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "act")]
pub struct Model {
    /// Later acts have higher numbers.
    #[sea_orm(primary_key)]
    pub number: i64,
    /// When.
    pub time: i64,
    /// The workload that asked for it.
    pub principal: String,
    /// The word for what was asked for.
    pub kind: String,
    /// The consumer it was about.
    pub consumer: String,
    /// The source of the stream it was about, or empty.
    pub source: String,
    /// The stream it was about, or empty.
    pub stream: String,
    /// The event's position in its source's log, or 0.
    pub position: i64,
    /// The event's id.
    pub event_id: Option<Id>,
    /// The word for what came of it.
    pub outcome: String,
    /// The operator's reason, or the error.
    pub detail: String,
}

impl ActiveModelBehavior for ActiveModel {}
