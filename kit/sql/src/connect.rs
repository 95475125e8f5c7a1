//! Connections, in pools that cannot take one another's: of transactions, of those who read, and of what must not wait for either.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::error::RuntimeErr;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{ConnectOptions as _, Connection, Error as SqlxError};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr};
use tokio::time::timeout;
use tradewind_domain::Error;

use crate::Away;
use crate::damage::{self, Look};
use crate::error::db;
use crate::file::sqlite_file;
use crate::mark::Marked;
use crate::server::{self, Server};
use crate::sqlite::{Options, Pool};
use crate::url::{check_database_url, driver_url, verified};

const READERS: u32 = 4;
/// WAL lets readers read while the one writer writes; FULL makes a commit survive a power failure.
const SQLITE: &str =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;";
const READS: &str = "PRAGMA cache_size = -512; PRAGMA query_only = ON;";
/// A checkpoint copies pages into the database file and syncs it: rarely, in one go, and not by SQLite itself. Of a write-ahead log
/// that is overwritten it leaves so many bytes: more than there are between two checkpoints, unless a reader keeps one from being
/// made. A log that has to grow again makes every commit dearer.
/// What is deleted is overwritten: a key that was destroyed is not to be found in what is free.
const WRITES: &str = "PRAGMA cache_size = -4096; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; \
     PRAGMA secure_delete = ON;";
/// Of transactions on PostgreSQL; with those that read and the vital ones, a replica has 16 at most.
pub(super) const TRANSACTIONS: u32 = 10;
/// Of heartbeats, leases, the sequencer and signs of life there.
pub(super) const VITAL: u32 = 2;
const ACQUIRE: Duration = Duration::from_secs(5);
pub(crate) const STATEMENT: Duration = Duration::from_secs(30);
const IDLE: Duration = Duration::from_secs(60);
/// A process that vanishes in the middle of a transaction leaves its locks to a session that notices nothing: the server ends
/// one that says nothing for 15 s, and asks after the other end when it has been silent for 10 s.
const VANISHED: [(&str, &str); 4] = [
    ("idle_in_transaction_session_timeout", "15000"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];

/// A connection prepares its statements when tables may be new and have no statistics, and keeps to the plans that looked right
/// then. Every statement finds its rows by a key, however many there are. A scan that cannot be avoided counts as dear, and what
/// is dear would be compiled.
/// So one plan serves all values, and none is made anew for each. Help of other processes costs more than a page takes to read.
const BY_KEY: [(&str, &str); 7] = [
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
    ("max_parallel_workers_per_gather", "0"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// Where a caller goes away in the middle, the driver rolls back what may be no transaction, and the server would warn of it.
/// What is an error says so anyway.
const QUIET: [(&str, &str); 1] = [("client_min_messages", "error")];

/// The connections to a database, before anybody uses them.
pub struct Connections {
    pub(super) transactions: DatabaseConnection,
    pub(super) reads: DatabaseConnection,
    /// How one more that reads is opened on SQLite.
    pub(super) file: Option<Options>,
    /// On SQLite it only reads: there is nobody to share a file with.
    pub(super) vital: DatabaseConnection,
    /// SQLite's one connection that writes.
    pub(super) writer: Option<Pool>,
    /// An SQLite file's mark.
    pub(super) marked: Option<Arc<Marked>>,
    pub(super) away: Away,
}

impl Connections {
    /// Connects to the database at `url` under that name, creating the SQLite file and its folder where they are missing.
    /// `away` is told whenever the database was away or another server answers.
    ///
    /// # Errors
    /// `Invalid` when the URL is none; `Unavailable` when the database cannot be reached; `Rejected` when it cannot hold every
    /// text (`DATABASE_ENCODING`), its sessions are not as asked for (`DATABASE_POOLED`, `DATABASE_SCHEMA`), or another SQLite
    /// file is in its place ([`DATABASE_REPLACED`](crate::DATABASE_REPLACED)); `Internal` when it is damaged
    /// ([`DATABASE_CORRUPT`](crate::DATABASE_CORRUPT)).
    pub async fn open(url: &str, name: &str, away: Away) -> Result<Self, Error> {
        check_database_url(url)?;
        if url.starts_with("sqlite:") { Self::sqlite(url, away).await } else { Self::postgres(url, name, away).await }
    }

    async fn sqlite(url: &str, away: Away) -> Result<Self, Error> {
        create_folder(url).await?;
        let inspected = match sqlite_file(url) {
            Some(file) => Some(Marked::inspect(file).await?),
            None => None,
        };
        let options = |creates, connections, settings| {
            let settings = format!("{SQLITE} {settings}");
            Options { file: sqlite_file(url), creates, settings, connections }
        };
        let open = |options| Pool::open(options).map_err(db);
        let writer = open(options(true, 1, WRITES))?;
        let transactions = writer.connection().await.map_err(db)?;
        let marked = match inspected {
            Some((marked, suspicious)) => {
                if suspicious {
                    damage::check(&transactions, Look::Quick).await?;
                }
                marked.opened()?;
                Some(Arc::new(marked))
            }
            None => None,
        };
        let reads = open(options(false, READERS, READS))?.connection().await.map_err(db)?;
        let vital = open(options(false, 1, READS))?.connection().await.map_err(db)?;
        let file = Some(options(false, 1, READS));
        Ok(Self { transactions, reads, file, vital, writer: Some(writer), marked, away })
    }

    async fn postgres(url: &str, name: &str, away: Away) -> Result<Self, Error> {
        let (url, left_out) = driver_url(url);
        let server = Arc::new(Server::new(Arc::clone(&away)));
        let pool = async |connections| match Database::connect(postgres(&url, name, &server, connections)).await {
            Err(error) => Err(refused(error, &url, &server).await),
            opened => opened.map_err(db),
        };
        let transactions = pool(TRANSACTIONS).await?;
        server::check(&transactions).await?;
        if !left_out.is_empty() {
            tracing::info!(name, parameters = left_out.join(" "), "these of the database URL are not needed here");
        }
        let (reads, vital) = (pool(READERS).await?, pool(VITAL).await?);
        Ok(Self { transactions, reads, file: None, vital, writer: None, marked: None, away })
    }

    /// What brings the tables up to date, before anything else is done.
    #[must_use]
    pub fn transactions(&self) -> &DatabaseConnection {
        &self.transactions
    }
}

/// One connection to the database at `url`, as any program has it that knows nothing of this one. An SQLite file that is missing is
/// made where the URL ends with `?mode=rwc`.
///
/// # Errors
/// When it cannot be reached.
pub async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    if let Some(file) = sqlite_file(url) {
        return Pool::open(Options { creates: url.ends_with("?mode=rwc"), ..Options::of(&file) })?.connection().await;
    }
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await
}

/// Commits a transaction that was begun on `connection`: sea-orm would not tell where it fails on SQLite.
///
/// # Errors
/// What the database says.
pub async fn commit(connection: &DatabaseConnection, transaction: DatabaseTransaction) -> Result<(), DbErr> {
    transaction.commit().await?;
    // What became of it is told to whoever asks next.
    connection.ping().await
}

/// What a connection that could not be made means, and to which server. A pool tries again while it is refused, and then says only
/// that its time is over: one more attempt says why.
async fn refused(error: DbErr, url: &str, server: &Server) -> Error {
    let Ok(options) = url.parse::<PgConnectOptions>() else { return server::refused(error) };
    let address = match options.get_socket() {
        Some(folder) => format!("{}/.s.PGSQL.{}", folder.display(), options.get_port()),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let is_late =
        matches!(&error, DbErr::Conn(RuntimeErr::SqlxError(error)) if matches!(**error, SqlxError::PoolTimedOut));
    let unavailable = |why: &str| Error::unavailable("DATABASE_UNAVAILABLE", why);
    let mut error = if is_late {
        match timeout(ACQUIRE, attempt(session(options, url), server)).await {
            Ok(Ok(())) => unavailable("it was not ready in time"),
            Ok(Err(error)) => server::refused(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))),
            Err(_) => unavailable("it does not answer"),
        }
    } else {
        server::refused(error)
    };
    error.message = format!("{address}: {}", error.message);
    error
}

async fn attempt(options: PgConnectOptions, server: &Server) -> Result<(), SqlxError> {
    let mut connection = options.connect().await?;
    server.greet(&mut connection).await?;
    connection.close().await
}

/// What every session is told.
fn session(options: PgConnectOptions, url: &str) -> PgConnectOptions {
    verified(options, url).options(VANISHED).options(BY_KEY).options(QUIET).options(server::RELIED_ON)
}

fn postgres(url: &str, name: &str, server: &Arc<Server>, connections: u32) -> ConnectOptions {
    let server = Arc::clone(server);
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(IDLE)
        .test_before_acquire_if_idle_for(Duration::from_secs(10))
        .statement_timeout(STATEMENT)
        .set_application_name(name)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts({
            let url = url.to_owned();
            move |options| session(options, &url)
        })
        .map_sqlx_postgres_pool_opts(move |pool| {
            let server = Arc::clone(&server);
            pool.after_connect(move |connection, _| {
                let server = Arc::clone(&server);
                Box::pin(async move { server.greet(connection).await })
            })
        });
    options
}

async fn create_folder(url: &str) -> Result<(), Error> {
    let Some(folder) = sqlite_file(url).and_then(|file| file.parent().map(Path::to_owned)) else {
        return Ok(());
    };
    tokio::fs::create_dir_all(&folder)
        .await
        .map_err(|error| Error::unavailable("DATABASE_UNAVAILABLE", format!("{}: {error}", folder.display())))
}
