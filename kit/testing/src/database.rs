//! Throwaway databases, and one suite of tests over both stores.

use std::sync::{Mutex, OnceLock, PoisonError};

use tempfile::TempDir;

use crate::janitor::Janitor;
use crate::postgres::{Postgres, execute};

/// An empty database that goes when dropped.
pub struct Database {
    url: String,
    home: Home,
}

enum Home {
    Folder { _removed_on_drop: TempDir },
    Cluster { port: u16, name: String },
}

impl Database {
    /// Returns a new SQLite database in a folder of its own; its file does not exist yet.
    #[must_use]
    #[track_caller]
    pub fn sqlite() -> Self {
        let folder = scratch();
        let url = tradewind_sql::sqlite_url(&folder.path().join("database.sqlite"));
        Self { url, home: Home::Folder { _removed_on_drop: folder } }
    }

    /// Creates a new database in the one PostgreSQL cluster of this test process.
    ///
    /// # Panics
    /// When there is no PostgreSQL, or it does not start; the message holds its log.
    #[must_use]
    #[track_caller]
    pub fn postgres() -> Self {
        Postgres::shared().database()
    }

    /// Returns its address: `sqlite:///path` or `postgres://user@host:port/name`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Tells whether it is in PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.home, Home::Cluster { .. })
    }
}

impl Postgres {
    /// Creates an empty database.
    ///
    /// # Panics
    /// When the cluster is stopped.
    #[must_use]
    #[track_caller]
    pub fn database(&self) -> Database {
        let (port, name) = (self.port, self.new_name());
        if let Err(error) = execute(port, &format!("CREATE DATABASE {name}")) {
            panic!("cannot create a database: {error}");
        }
        Database { url: format!("{}/{name}", self.url()), home: Home::Cluster { port, name } }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Home::Cluster { port, name } = &self.home {
            // The whole cluster goes soon; this only keeps its folder small until then.
            let _ = execute(*port, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// Returns a new empty folder, gone when dropped or when the test process ends, however it ends.
///
/// # Panics
/// When none can be made.
#[must_use]
#[track_caller]
pub fn scratch() -> TempDir {
    static SCRATCH: OnceLock<Mutex<Janitor>> = OnceLock::new();
    let janitor = SCRATCH
        .get_or_init(|| Mutex::new(Janitor::new("scratch", None, "KILL")))
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    TempDir::new_in(janitor.folder()).expect("a temporary folder")
}

/// Runs a test to its end on a runtime of its own with two threads.
///
/// # Panics
/// When the test does.
pub fn block_on<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(test)
}

/// Makes each test of a suite run over SQLite and over PostgreSQL, each time with a database of
/// its own.
///
/// ```ignore
/// both_stores! {
///     async fn appends_in_order(database: Database) { append(open(database.url()).await).await }
/// }
/// ```
/// gives the tests `appends_in_order::on_sqlite` and `appends_in_order::on_postgres`.
#[macro_export]
macro_rules! both_stores {
    ($($(#[$meta:meta])* async fn $name:ident($database:ident: $kind:ty) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "a test need not use anything of its surroundings")]
            use super::*;

            $(#[$meta])*
            async fn suite($database: $kind) $body

            #[test]
            fn on_sqlite() {
                $crate::block_on(suite($crate::Database::sqlite()));
            }

            #[test]
            fn on_postgres() {
                $crate::block_on(suite($crate::Database::postgres()));
            }
        }
    )+};
}
