//! Looking for damage in an SQLite file.

use std::path::Path;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use tradewind_domain::{Error, ErrorKind};

use crate::error::{DATABASE_CORRUPT, db};
use crate::sqlite::{Options, Pool};
use crate::statement::statement;

/// How thoroughly to look.
#[derive(Clone, Copy)]
pub enum Look {
    /// At every page.
    Quick,
    /// Whether tables and indexes agree, too.
    Thorough,
}

/// Looks for damage; the whole file is read.
///
/// # Errors
/// `Internal` with reason [`DATABASE_CORRUPT`].
pub async fn check(connection: &impl ConnectionTrait, look: Look) -> Result<(), Error> {
    let check = match look {
        Look::Quick => "quick_check",
        Look::Thorough => "integrity_check",
    };
    let rows = connection.query_all_raw(statement(DbBackend::Sqlite, format!("PRAGMA {check}(3)"), []));
    let rows = rows.await.map_err(db)?;
    let found: Vec<String> = rows.iter().map(|row| row.try_get("", check).map_err(db)).collect::<Result<_, _>>()?;
    if found == ["ok"] {
        return Ok(());
    }
    let text = format!("the database is damaged: {}", found.join("; "));
    Err(Error::new(ErrorKind::Internal, DATABASE_CORRUPT, text))
}

/// Makes sure that a copy that nobody uses is sound.
///
/// # Errors
/// `Internal` with reason [`DATABASE_CORRUPT`] when it is not.
pub async fn look_through(copy: &Path) -> Result<(), Error> {
    let connection = open_file(copy).await?;
    let sound = check(&connection, Look::Thorough).await;
    connection.close().await.map_err(db)?;
    sound
}

/// Opens an SQLite file that is there, for one connection that makes no checkpoints of its own accord.
///
/// # Errors
/// `NotFound` when there is none; `Unavailable` when it cannot be opened.
pub async fn open_file(file: &Path) -> Result<DatabaseConnection, Error> {
    if !file.exists() {
        return Err(Error::new(ErrorKind::NotFound, "NO_FILE", format!("there is no file {}", file.display())));
    }
    let settings = "PRAGMA wal_autocheckpoint = 0".to_owned();
    Pool::open(Options { settings, ..Options::of(file) }).map_err(db)?.connection().await.map_err(db)
}
