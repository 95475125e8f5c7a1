//! What waits and what has been settled; times are microseconds since the Unix epoch.

use sea_orm::entity::prelude::*;

/// One row of `flow`: an event of an order and what has to follow it. Either half may come first: what asks, or what answers.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "flow")]
pub struct Model {
    /// The order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The full name of the event that asks.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event: String,
    /// Its id, where an answer names it as its cause; empty where an answer is known by its place in the same stream.
    #[sea_orm(primary_key, auto_increment = false)]
    pub cause: String,
    /// Its id; none while only an answer has come.
    pub event_id: Option<String>,
    /// When it happened.
    pub since: Option<i64>,
    /// When what has to follow it is late.
    pub due: Option<i64>,
    /// When the first of those that may follow did.
    pub settled: Option<i64>,
    /// Its full name.
    pub settled_by: Option<String>,
    /// The context whose log has it.
    pub source: Option<String>,
    /// The partition there.
    pub partition: Option<i64>,
    /// Its position there.
    pub position: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
