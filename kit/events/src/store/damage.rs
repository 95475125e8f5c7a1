//! Looking for damage in an SQLite file.

use sea_orm::{ConnectionTrait, DbBackend};
use tradewind_domain::{Error, ErrorKind};

use crate::error::{DATABASE_CORRUPT, db};
use crate::sql::statement;

/// How thoroughly to look.
#[derive(Clone, Copy)]
pub(super) enum Look {
    /// At every page.
    Quick,
    /// Whether tables and indexes agree, too.
    Thorough,
}

/// Looks for damage; the whole file is read.
///
/// # Errors
/// `Internal` with reason [`DATABASE_CORRUPT`].
pub(super) async fn check(connection: &impl ConnectionTrait, look: Look) -> Result<(), Error> {
    let check = match look {
        Look::Quick => "PRAGMA quick_check(3)",
        Look::Thorough => "PRAGMA integrity_check(3)",
    };
    let check = statement(DbBackend::Sqlite, check, []);
    let rows = connection.query_all_raw(check).await.map_err(db)?;
    let found: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).map_err(db)).collect::<Result<_, _>>()?;
    if found == ["ok"] {
        return Ok(());
    }
    let text = format!("the database is damaged: {}", found.join("; "));
    Err(Error::new(ErrorKind::Internal, DATABASE_CORRUPT, text))
}
