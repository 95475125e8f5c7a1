//! SQLite's driver, under sea-orm: statements run on the thread that asks, and not on one of each connection's, to which every
//! statement would be a hop and back. What may take long runs beside the runtime's other tasks.
//!
//! sea-orm reads rows of a driver that is not its own by the names of their columns: their order is the alphabet's.

mod error;
mod place;
mod pool;
mod value;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

pub(crate) use self::pool::Pool;

/// What is opened, and how.
#[derive(Clone)]
pub(crate) struct Options {
    /// The file; none is a database in memory.
    pub(crate) file: Option<PathBuf>,
    /// Whether a file that is missing is made.
    pub(crate) creates: bool,
    /// What a new connection is told, in SQL.
    pub(crate) settings: String,
    /// The most connections at a time.
    pub(crate) connections: u32,
}

/// Statements that a connection keeps prepared.
const PREPARED: usize = 128;

impl Options {
    /// One connection to a file that is there, with nothing set.
    pub(crate) fn of(file: &Path) -> Self {
        Self { file: Some(file.to_owned()), creates: false, settings: String::new(), connections: 1 }
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let connection = match &self.file {
            Some(file) => {
                let create = if self.creates { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
                Connection::open_with_flags(file, flags)?
            }
            None => Connection::open_in_memory()?,
        };
        connection.busy_handler(Some(place::waits))?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        connection.execute_batch(&self.settings)?;
        Ok(connection)
    }
}
