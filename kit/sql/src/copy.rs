//! Copies of SQLite files.

use std::path::Path;

use sea_orm::{ConnectionTrait, DbBackend};
use tradewind_domain::Error;

use crate::error::db;
use crate::statement::statement;

/// Writes a copy of an SQLite database, as it is at one moment, to the new file `to`; others may write meanwhile.
///
/// # Errors
/// `Invalid` when the file's name is not UTF-8; otherwise what the database says.
pub async fn copy_into(connection: &impl ConnectionTrait, to: &Path) -> Result<(), Error> {
    let to = to.to_str().ok_or_else(|| Error::invalid("to", "NOT_UTF8", "the file's name must be UTF-8"))?;
    let copy = statement(DbBackend::Sqlite, "VACUUM INTO $1", [to.into()]);
    connection.execute_raw(copy).await.map(drop).map_err(db)
}
