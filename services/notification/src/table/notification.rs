//! What was told to whom, a row a message; times are microseconds since the Unix epoch.

use std::fmt;

use sea_orm::entity::prelude::*;

/// An address that mail goes to. It is shown nowhere.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Address(pub String);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// One row of `notification`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification")]
pub struct Model {
    /// About which order; of a message about an account, what names it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The contract's number, which follows the order's course.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: i64,
    /// Whom it is sent to, sealed.
    pub recipient: Address,
    /// Its subject, sealed.
    pub subject: String,
    /// Its text, sealed; gone once it is sent where it holds a code.
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
