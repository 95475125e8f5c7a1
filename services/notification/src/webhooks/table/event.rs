//! What is told of an event, once for all who are told of it.

use sea_orm::entity::prelude::*;

/// One row of `webhook_event`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_event")]
pub struct Model {
    /// The event's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: String,
    /// What is told, as JSON.
    pub body: String,
}

impl ActiveModelBehavior for ActiveModel {}
