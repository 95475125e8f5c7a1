//! What was told to whom, a row a message; times are microseconds since the Unix epoch.

use sea_orm::entity::prelude::*;

/// One row of `notification`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification")]
pub struct Model {
    /// About which order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The contract's number, which follows the order's course.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: i64,
    /// Whom it is sent to.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// When it was written down.
    pub written: i64,
    /// The mail system has it.
    pub sent: bool,
    /// Since when.
    pub sent_time: Option<i64>,
    /// It is given up.
    pub failed: bool,
    /// Why.
    pub failure: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
