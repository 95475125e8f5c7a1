//! What the ledger and the provider's statement do not agree on.

use std::fmt;

use sea_orm::entity::prelude::*;

/// What a person said, or who it was, which must never be logged.
#[derive(Clone, Default, PartialEq, Eq, DeriveValueType)]
pub struct Private(pub String);

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

/// One row of `ledger_difference`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_difference")]
pub struct Model {
    /// Which it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub difference_id: String,
    /// The contract's number of its kind.
    pub kind: i64,
    /// The contract's number of what money did.
    pub movement: i64,
    /// The order, or empty.
    pub order_id: String,
    /// The line of the statement, or empty.
    pub line_id: String,
    /// The event of the entry, or empty.
    pub event_id: String,
    /// Currency of what the ledger says.
    pub here_currency: Option<String>,
    /// Minor units of it.
    pub here_minor: Option<i64>,
    /// Currency of what the statement says.
    pub there_currency: Option<String>,
    /// Minor units of it.
    pub there_minor: Option<i64>,
    /// When money moved, in microseconds since the Unix epoch.
    pub time: i64,
    /// When it was found to be of its kind, in the same.
    pub found: i64,
    /// When it was resolved, in the same.
    pub resolved: Option<i64>,
    /// How it was resolved, or empty.
    pub note: Private,
    /// Who resolved it, or empty.
    pub resolved_by: Private,
}

impl ActiveModelBehavior for ActiveModel {}
