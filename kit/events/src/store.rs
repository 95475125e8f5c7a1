//! The service's database: opening it, transactions on it, reads outside of them, and who is told when it changes.

mod backup;
mod birth;
mod cache;
mod connect;
mod damage;
mod file;
mod history;
mod mark;
mod memory;
mod migrations;
mod position;
mod read;
mod reads;
mod retry;
mod server;
mod sessions;
mod signals;
mod sources;
#[cfg(test)]
pub(crate) mod stopped;
mod tail;
#[cfg(test)]
mod tests;
mod url;
mod vital;
mod wal;
mod writer;

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement};
use sea_orm_migration::MigrationTrait;
use time::OffsetDateTime;
use tokio::sync::broadcast;
use tradewind_domain::Error;
use uuid::Uuid;

pub(crate) use self::birth::MOST_PARTITIONS;
use self::cache::Cache;
use self::connect::Pools;
pub use self::file::{sqlite_file, sqlite_url};
use self::mark::Marked;
use self::memory::Memory;
pub use self::reads::Reads;
use self::sessions::Sessions;
use self::signals::Signals;
use self::sources::Sources;
pub use self::url::check_database_url;
use self::vital::{PING, Vital};
use self::writer::Writer;
use crate::error::{DATABASE_CORRUPT, db};
use crate::metrics::metrics;
use crate::times::{from_micros, micros};
use crate::{Clock, StreamName, Tx};

pub use self::backup::{accept_loss, back_up, restore};
pub(crate) use self::cache::{AnyState, Current};
pub(crate) use self::history::LOG_FORKED;
pub use self::history::LOG_WENT_BACK;
pub use self::mark::DATABASE_REPLACED;
pub(crate) use self::position::Cursor;
pub(crate) use self::read::apply;
pub(crate) use self::retry::{jitter, random};
pub use self::signals::Topic;
pub(crate) use self::signals::{CURSORS, LOG, OUTBOX, changed};
pub(crate) use self::tail::Tail;
pub(crate) use self::writer::Written;

/// How to open a [`Store`].
pub struct StoreOptions {
    /// `sqlite:///absolute/path` as [`sqlite_url`] writes it, or `postgres://…`.
    pub url: String,
    /// The context that owns the database; another context's is refused.
    pub context: &'static str,
    /// The service's own tables, oldest first.
    pub migrations: Vec<Box<dyn MigrationTrait>>,
    /// What `now` is.
    pub clock: Clock,
    /// Partitions of the log, 1 to 16, fixed when the database is born: 1 on SQLite and 4 on PostgreSQL unless given.
    pub partitions: Option<u16>,
}

/// A service's database with the kit's tables and its own. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    context: &'static str,
    partitions: u16,
    clock: Clock,
    reads: Reads,
    vital: Vital,
    backend: Backend,
    memory: Arc<Memory>,
    sources: Sources,
    signals: Signals,
    changes: broadcast::Sender<StreamName>,
}

/// What writes: SQLite's one connection, or some of PostgreSQL's pool.
enum Backend {
    Sqlite(Writer),
    Postgres(Sessions),
}

/// How many changed streams a slow receiver of [`Store::changes`] may lag behind.
const CHANGES: usize = 1024;

impl Store {
    /// Opens the database, creating the SQLite file and its folder where they are missing, and brings its tables up to date.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached; `Rejected` with reason `WRONG_DATABASE` when it belongs to another
    /// context; `Rejected` when it cannot hold every text (`DATABASE_ENCODING`), its sessions are not as asked for
    /// (`DATABASE_POOLED`, `DATABASE_SCHEMA`), or another SQLite file is in its place ([`DATABASE_REPLACED`]); `Internal` when it
    /// is damaged ([`DATABASE_CORRUPT`](crate::DATABASE_CORRUPT)), or a migration fails.
    pub async fn open(options: StoreOptions) -> Result<Self, Error> {
        let opened = Self::try_open(options).await;
        let damaged = |error: &Error| [DATABASE_CORRUPT, DATABASE_REPLACED].contains(&error.reason);
        metrics().database_damaged.record(opened.as_ref().err().is_some_and(damaged).into(), &[]);
        opened
    }

    async fn try_open(options: StoreOptions) -> Result<Self, Error> {
        let StoreOptions { url, context, migrations, clock, partitions } = options;
        let memory = Arc::new(Memory::new());
        let Pools { transactions, reads, vital, marked } = connect::connect(&url, context, &memory).await?;
        let born = birth::prepare(&transactions, context, migrations, partitions).await?;
        let sessions = |pool, connections, spare| Sessions::new(pool, connections, spare, Arc::clone(&memory));
        let (backend, vital) = match transactions.get_database_backend() {
            DbBackend::Sqlite => (Backend::Sqlite(Writer::new(transactions, marked)), Vital::Sqlite(vital)),
            // Of the vital ones one is the sequencer's, as good as always.
            _ => (
                Backend::Postgres(sessions(transactions, connect::TRANSACTIONS, 2)),
                Vital::Postgres(sessions(vital, connect::VITAL, 1)),
            ),
        };
        let (changes, _) = broadcast::channel(CHANGES);
        let store = Self(Arc::new(Inner {
            context,
            partitions: born.partitions,
            clock,
            reads: Reads::new(reads),
            vital,
            backend,
            memory,
            sources: Sources::default(),
            signals: Signals::default(),
            changes,
        }));
        store.look().await?;
        Ok(store)
    }

    /// Begins a transaction: on SQLite the only writing one at a time, on PostgreSQL one at READ COMMITTED.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let era = self.cache().era();
        let written = match &self.0.backend {
            Backend::Sqlite(writer) => {
                self.undamaged()?;
                let turn = self.noting(writer.begin().await)?;
                if turn.interrupted {
                    self.cache().clear();
                }
                if let Some(tail) = self.committed_tail()
                    && (turn.interrupted || tail.is_uncertain())
                {
                    tail.restart(self.head(Some(turn.connection()), 0).await?);
                }
                Written::Sqlite(turn)
            }
            Backend::Postgres(sessions) => {
                self.undamaged()?;
                Written::Postgres(sessions.begin().await?)
            }
        };
        Ok(Tx::new(self.clone(), written, era))
    }

    /// Reads outside transactions, a few at a time and in turn; where too many wait, it is `Exhausted` with reason
    /// `TOO_MANY_READS`. It cannot write.
    #[must_use]
    pub fn reader(&self) -> &Reads {
        &self.0.reads
    }

    /// Reads what a command has to know before it begins; it does not wait for those who only look.
    #[must_use]
    pub fn command_reader(&self) -> &DatabaseConnection {
        self.0.reads.pool()
    }

    /// Runs a statement that reads.
    pub(crate) async fn read(&self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        let rows = match &self.0.backend {
            Backend::Sqlite(_) => self.0.reads.pool().query_all_raw(statement).await,
            Backend::Postgres(sessions) => sessions.run(statement).await,
        };
        self.noting(rows.map_err(db))
    }

    /// Runs a statement that writes and commits it; what it returns.
    pub(crate) async fn write(&self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        if let Backend::Postgres(sessions) = &self.0.backend {
            return self.noting(sessions.run(statement).await.map_err(db));
        }
        let tx = self.begin().await?;
        let rows = tx.conn().query_all_raw(statement).await.map_err(db)?;
        tx.commit().await?;
        Ok(rows)
    }

    /// The streams that this process appends to, told after each commit. A receiver that lags loses the oldest.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<StreamName> {
        self.0.changes.subscribe()
    }

    /// Gives connections back that are kept from one transaction to the next, and leaves an SQLite file in order: for the end of
    /// a process, before the database is left alone.
    pub async fn rest(&self) {
        if let Backend::Sqlite(writer) = &self.0.backend
            && let Err(error) = writer.rest().await
        {
            tracing::warn!(%error, "the database was not left in order; it is checked at the next start");
        }
        if let (Backend::Postgres(transactions), Vital::Postgres(vital)) = (&self.0.backend, &self.0.vital) {
            let cleared = async { tokio::join!(transactions.clear(), vital.clear()) };
            if tokio::time::timeout(PING, cleared).await.is_err() {
                tracing::debug!("the database did not answer; its connections are dropped");
            }
        }
    }

    /// The present time by the store's clock, to the microsecond, which is what the database keeps.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        from_micros(micros(self.0.clock.now()))
    }

    /// The context that owns this database.
    #[must_use]
    pub fn context(&self) -> &'static str {
        self.0.context
    }

    /// The identity of this database's log; a new database has a new one.
    #[must_use]
    pub fn incarnation(&self) -> Uuid {
        self.0.memory.log().borrow().incarnation
    }

    /// How many partitions the log has.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        self.0.partitions
    }

    /// The database behind the store.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.0.reads.get_database_backend()
    }

    fn signals(&self) -> &Signals {
        &self.0.signals
    }

    fn sources(&self) -> &Sources {
        &self.0.sources
    }

    fn marked(&self) -> Option<&Marked> {
        match &self.0.backend {
            Backend::Sqlite(writer) => writer.marked(),
            Backend::Postgres(_) => None,
        }
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.0.memory
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.0.memory.cache
    }

    /// The end of the log where it is told of what is committed, as that is.
    pub(crate) fn committed_tail(&self) -> Option<&Tail> {
        match self.tails() {
            [tail] if self.backend() == DbBackend::Sqlite => Some(tail),
            _ => None,
        }
    }

    /// The end of each partition of the log.
    pub(crate) fn tails(&self) -> &[Tail] {
        self.0.memory.tails.get(..usize::from(self.0.partitions)).unwrap_or_default()
    }

    pub(crate) fn tell_changed(&self, stream: &StreamName) {
        // Nobody listens: nobody to tell.
        let _ = self.0.changes.send(stream.clone());
    }
}
