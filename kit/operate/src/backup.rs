//! Backup and restore of SQLite files, and accepting that a log went back: what an operator does while no service is at it, or
//! beside one.

use std::path::Path;

use sea_orm::{ConnectOptions, Database, DatabaseConnection, TransactionTrait};
use tradewind_domain::{Error, ErrorKind};
use tradewind_sql::{
    Look, Marked, beside, check_database_url, check_for_damage, commit, copy_into, db, driver_url, look_through,
    open_file, reserve, sqlite_file, verified,
};
use tradewind_store::{context_of, renew_log};
use uuid::Uuid;

/// Writes a copy of the SQLite database at `url`, as it is at one moment, to the new file `to`. The service may go on meanwhile.
///
/// # Errors
/// `Invalid` when `url` is no SQLite file's; `NotFound` when there is no log in it; `AlreadyExists` when there is a file; `Internal`
/// with reason `DATABASE_CORRUPT` when the database is damaged; `Unavailable` when files cannot be read or written.
pub async fn back_up(url: &str, context: &str, to: &Path) -> Result<(), Error> {
    let from = file_of(url)?;
    if to.exists() {
        return Err(Error::new(ErrorKind::AlreadyExists, "FILE_EXISTS", format!("{} exists already", to.display())));
    }
    let connection = open_in_place(&from).await?;
    let copied = match context_of(&connection).await? {
        Some(owner) if owner == context => copy_into(&connection, to).await,
        Some(owner) => Err(wrong(&owner, context)),
        None => Err(no_log()),
    };
    connection.close().await.map_err(db)?;
    copied?;
    look_through(to).await?;
    std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(|error| broken(to, &error))
}

/// Puts a copy of the backup `from` in the place of the SQLite database at `url`, whose service must not run. Its log gets a new
/// incarnation, by which those who read it notice; what was there is kept beside it, with `.before-restore` in its name.
///
/// # Errors
/// `Invalid` when `url` is no SQLite file's; `Rejected` with reason `WRONG_DATABASE` when the backup is not `context`'s;
/// `Unavailable` with reason `DATABASE_IN_USE`; `Internal` with reason `DATABASE_CORRUPT` when the backup is damaged. Nothing has changed then.
pub async fn restore(url: &str, context: &str, from: &Path) -> Result<Uuid, Error> {
    let place = file_of(url)?;
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder).map_err(|error| broken(folder, &error))?;
    }
    let _reserved = reserve(&place)?;
    let pending = beside(from, "-wal");
    if pending.exists() {
        let text = format!("{} is beside it: this is a file that was in use, no backup", pending.display());
        return Err(Error::new(ErrorKind::Rejected, "NO_BACKUP", text));
    }
    let draft = beside(&place, ".restoring");
    std::fs::copy(from, &draft).map_err(|error| broken(from, &error))?;
    let prepared = prepare(&draft, context).await;
    if prepared.is_err() {
        // What is left of it is of no use.
        let _ = std::fs::remove_file(&draft);
    }
    let incarnation = prepared?;
    // The file first: without it what is left of a restore that was cut short is refused, and so is what is kept of two.
    let parts = ["", "-wal", "-shm", "-mark"]
        .map(|suffix| (beside(&place, suffix), beside(&place, &format!(".before-restore{suffix}"))));
    for (_, kept) in parts.iter().filter(|(_, kept)| kept.exists()) {
        std::fs::remove_file(kept).map_err(|error| broken(kept, &error))?;
    }
    for (old, kept) in parts.iter().filter(|(old, _)| old.exists()) {
        std::fs::rename(old, kept).map_err(|error| broken(old, &error))?;
    }
    std::fs::rename(&draft, &place).map_err(|error| broken(&place, &error))?;
    Ok(incarnation)
}

/// Accepts that the log in the database at `url` went back: it gets a new incarnation, and its service goes on by itself.
///
/// # Errors
/// `Invalid` when `url` is none; `NotFound` when there is no log in it; `Rejected` with reason `WRONG_DATABASE` when it is not
/// `context`'s; `Unavailable` when it cannot be reached.
pub async fn accept_loss(url: &str, context: &str) -> Result<Uuid, Error> {
    let connection = match sqlite_file(url) {
        Some(file) => open_in_place(&file).await?,
        None => {
            check_database_url(url)?;
            let url = driver_url(url).0;
            let mut options = ConnectOptions::new(&url);
            options.max_connections(1).sqlx_logging(false);
            options.map_sqlx_postgres_opts(move |options| verified(options, &url));
            Database::connect(options).await.map_err(db)?
        }
    };
    let transaction = connection.begin().await.map_err(db)?;
    let renewed = match context_of(&transaction).await? {
        Some(owner) if owner == context => renew_log(&transaction).await,
        Some(owner) => Err(wrong(&owner, context)),
        None => Err(no_log()),
    };
    commit(&connection, transaction).await.map_err(db)?;
    connection.close().await.map_err(db)?;
    renewed
}

/// Makes sure that a copy is sound and `context`'s, and gives its log a new incarnation.
async fn prepare(file: &Path, context: &str) -> Result<Uuid, Error> {
    let connection = open_file(file).await?;
    let prepared = async {
        check_for_damage(&connection, Look::Thorough).await?;
        match context_of(&connection).await? {
            Some(owner) if owner == context => renew_log(&connection).await,
            Some(owner) => Err(wrong(&owner, context)),
            None => Err(Error::new(ErrorKind::Rejected, "WRONG_DATABASE", "it is no backup of a service's database")),
        }
    };
    let prepared = prepared.await;
    connection.close().await.map_err(db)?;
    let incarnation = prepared?;
    std::fs::File::open(file).and_then(|file| file.sync_all()).map_err(|error| broken(file, &error))?;
    Ok(incarnation)
}

/// Opens a service's file, unless it is not the one that its write-ahead log belongs to: that would mix the two.
async fn open_in_place(file: &Path) -> Result<DatabaseConnection, Error> {
    if file.exists() {
        Marked::inspect(file.to_owned()).await?;
    }
    open_file(file).await
}

fn no_log() -> Error {
    Error::new(ErrorKind::NotFound, "NO_LOG", "there is no log in this database")
}

fn wrong(owner: &str, context: &str) -> Error {
    let text = format!("the database belongs to {owner}, not to {context}");
    Error::new(ErrorKind::Rejected, "WRONG_DATABASE", text)
}

fn file_of(url: &str) -> Result<std::path::PathBuf, Error> {
    let text = "only SQLite files are copied; for PostgreSQL use pg_dump and pg_restore";
    sqlite_file(url).ok_or_else(|| Error::invalid("url", "NOT_SQLITE", text))
}

fn broken(file: &Path, error: &std::io::Error) -> Error {
    Error::unavailable("FILE_UNAVAILABLE", format!("{}: {error}", file.display()))
}
