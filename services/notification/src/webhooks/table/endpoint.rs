//! Where somebody is told of events.

use sea_orm::entity::prelude::*;

use super::Hidden;

/// One row of `webhook_endpoint`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_endpoint")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub endpoint_id: String,
    /// Where requests go.
    pub url: Hidden,
    /// Full names of events, with blanks between.
    pub event_types: String,
    /// What it is for.
    pub description: String,
    /// What requests are signed with.
    pub secret: Hidden,
    /// What they were signed with before.
    pub previous_secret: Option<Hidden>,
    /// Until when they are by that as well.
    pub previous_until: Option<i64>,
    /// It is told.
    pub enabled: bool,
    /// Why it is not; empty where somebody wanted that.
    pub disabled_reason: String,
    /// When it was registered.
    pub created: i64,
    /// When it last changed.
    pub updated: i64,
    /// Since when it has taken nothing.
    pub failing_since: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
