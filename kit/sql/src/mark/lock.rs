//! Who uses an SQLite file, told by a lock on the file beside it.

use std::fs::{File, TryLockError};
use std::path::Path;

use tradewind_domain::Error;

use super::{beside, unreadable};

/// Says that nobody may use the file for as long as the returned value lives.
pub fn reserve(file: &Path) -> Result<File, Error> {
    let lock = lock_file(file)?;
    lock.try_lock().map_err(|error| in_use(file, &error, "is in use: stop the service first"))?;
    Ok(lock)
}

/// The file by which processes tell each other that they use the database.
pub(super) fn lock_file(file: &Path) -> Result<File, Error> {
    let lock = beside(file, "-lock");
    File::options().create(true).append(true).open(&lock).map_err(|error| unreadable(&lock, &error))
}

/// What a lock that another process has means.
pub(super) fn in_use(file: &Path, error: &TryLockError, what: &str) -> Error {
    match error {
        TryLockError::WouldBlock => Error::unavailable("DATABASE_IN_USE", format!("{} {what}", file.display())),
        TryLockError::Error(error) => unreadable(file, error),
    }
}
