//! Statements in the common ground of both databases: parameters are `$1`, `$2`, … on either.

use sea_orm::{DbBackend, Statement, Value};
use tradewind_domain::Error;

/// A statement whose text is always the same, so that the database prepares it once.
pub fn statement(backend: DbBackend, text: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(backend, text, values)
}

/// A version or position as the databases keep it; none comes near the limit.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A version or position as the databases keep it, back again.
pub fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A partition number as the databases keep it, back again.
pub fn partition(number: i64) -> Result<u16, Error> {
    u16::try_from(number).map_err(Error::internal)
}
