//! The service's database: opening it, transactions on it, reads outside of them, and who is told when it changes.

mod audit;
mod birth;
mod cache;
mod erasures;
mod find;
mod fold;
mod grown;
mod history;
mod keys;
mod memory;
mod position;
mod read;
mod signals;
mod sources;
mod statements;
mod tail;
#[cfg(test)]
mod tests;
mod unhandled;
mod unread;
mod written;

use std::sync::Arc;

use sea_orm::{DatabaseConnection, DbBackend};
use sea_orm_migration::MigrationTrait;
use time::OffsetDateTime;
use tokio::sync::{broadcast, watch};
use tradewind_domain::Error;
use tradewind_sql::{
    Connections, DATABASE_CORRUPT, DATABASE_REPLACED, Database, Durability, Reads, Script, Transaction, from_micros,
    micros,
};
use uuid::Uuid;

pub use self::birth::{MOST_PARTITIONS, context_of};
use self::cache::Cache;
pub(crate) use self::cache::{AnyState, Current};
pub(crate) use self::erasures::ERASED;
pub use self::erasures::Erasure;
pub(crate) use self::fold::{apply, passed_over};
pub use self::history::{LOG_FORKED, LOG_WENT_BACK, renew_log};
pub(crate) use self::keys::{Kept, text};
pub use self::keys::{Opened, Sealing};
use self::memory::Memory;
pub use self::memory::{LogState, Witness};
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) use self::position::event_at;
pub use self::position::{Cursor, Cursors};
use self::signals::Signals;
pub(crate) use self::signals::{CURSORS, LOG, OUTBOX};
pub use self::signals::{Topic, changed};
use self::sources::Sources;
pub(crate) use self::tail::Tail;
use crate::error::commit;
use crate::metrics::metrics;
use crate::seal::Show;
use crate::{Clock, StreamName};

/// How to open a [`Store`].
pub struct StoreOptions {
    /// `sqlite:///absolute/path` as [`sqlite_url`](tradewind_sql::sqlite_url) writes it, or `postgres://…`.
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
    /// What of events may be known to everybody, where that is told.
    show: Option<Show>,
    seals: bool,
    clock: Clock,
    database: Database,
    memory: Arc<Memory>,
    sources: Sources,
    signals: Signals,
    changes: broadcast::Sender<StreamName>,
}

/// How many changed streams a slow receiver of [`Store::changes`] may lag behind.
const CHANGES: usize = 1024;

impl Store {
    /// Opens the database, creating the SQLite file and its folder where they are missing, and brings its tables up to date.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached; `Rejected` with reason `WRONG_DATABASE` when it belongs to another
    /// context; `Rejected` when it cannot hold every text (`DATABASE_ENCODING`), its sessions are not as asked for
    /// (`DATABASE_POOLED`, `DATABASE_SCHEMA`), or another SQLite file is in its place ([`DATABASE_REPLACED`](tradewind_sql::DATABASE_REPLACED)); `Internal` when it
    /// is damaged ([`DATABASE_CORRUPT`](tradewind_sql::DATABASE_CORRUPT)), or a migration fails.
    pub async fn open(options: StoreOptions) -> Result<Self, Error> {
        Self::open_sealing(options, None).await
    }

    /// The same, and what is about somebody in events is sealed from now on.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_sealing(options: StoreOptions, sealing: impl Into<Option<Sealing>>) -> Result<Self, Error> {
        let opened = Self::try_open(options, sealing.into()).await;
        let damaged = |error: &Error| [DATABASE_CORRUPT, DATABASE_REPLACED].contains(&error.reason);
        metrics().database_damaged.record(opened.as_ref().err().is_some_and(damaged).into(), &[]);
        opened
    }

    async fn try_open(options: StoreOptions, sealing: Option<Sealing>) -> Result<Self, Error> {
        let StoreOptions { url, context, migrations, clock, partitions } = options;
        let memory = Arc::new(Memory::new());
        let away = Arc::clone(&memory);
        let connections =
            Connections::open(&url, &format!("tradewind-{context}"), Arc::new(move || away.forget())).await?;
        let begins = sealing.is_some_and(|sealing| sealing.begins);
        let born = birth::prepare(connections.transactions(), context, migrations, partitions, begins).await?;
        let (changes, _) = broadcast::channel(CHANGES);
        let store = Self(Arc::new(Inner {
            context,
            partitions: born.partitions,
            show: sealing.map(|sealing| sealing.show),
            seals: born.seals,
            clock,
            database: connections.into(),
            memory,
            sources: Sources::default(),
            signals: Signals::default(),
            changes,
        }));
        store.look().await?;
        Ok(store)
    }

    /// The database's own transaction, and the era of the cache in which it began.
    pub(crate) async fn transaction(&self, durability: Durability) -> Result<(Transaction, u64), Error> {
        let era = self.cache().era();
        self.undamaged()?;
        let transaction = self.noting(self.0.database.begin(durability).await).inspect_err(|_| self.wrote_not())?;
        if transaction.is_interrupted() {
            self.cache().clear();
        }
        if let Some(tail) = self.committed_tail()
            && (transaction.is_interrupted() || tail.is_uncertain())
        {
            tail.restart(self.head(Some(&transaction), 0).await?);
        }
        Ok((transaction, era))
    }

    /// Commits what was written in the database's own transaction.
    async fn commit(&self, transaction: Transaction) -> Result<(), Error> {
        let committed = transaction.commit(Script::new(self.backend()), || {}).await.map_err(commit);
        self.noting(committed).inspect_err(|_| self.wrote_not())
    }

    /// Reads outside transactions, a few at a time and in turn; where too many wait, it is `Exhausted` with reason
    /// `TOO_MANY_READS`. It cannot write.
    #[must_use]
    pub fn reader(&self) -> &Reads {
        self.0.database.reads()
    }

    /// Reads what a command has to know before it begins; it does not wait for those who only look.
    #[must_use]
    pub fn command_reader(&self) -> &DatabaseConnection {
        self.0.database.reads().pool()
    }

    /// The streams that this process appends to, told after each commit. A receiver that lags loses the oldest.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<StreamName> {
        self.0.changes.subscribe()
    }

    /// Gives connections back that are kept from one transaction to the next, and leaves an SQLite file in order: for the end of
    /// a process, before the database is left alone.
    pub async fn rest(&self) {
        self.0.database.rest().await;
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

    /// Tells whether other processes may be at work on the database: a file has one.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.backend() == DbBackend::Postgres
    }

    /// The database behind the store.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.0.database.backend()
    }

    /// The present epoch and those that follow: a new one begins whenever the database was away or another server answers, since
    /// what comes back may be an earlier state of it. Whoever remembers anything of the database forgets it then.
    #[must_use]
    pub fn epoch(&self) -> watch::Receiver<u64> {
        self.0.memory.epoch()
    }

    /// The own log's state and its changes.
    #[must_use]
    pub fn log_state(&self) -> watch::Receiver<LogState> {
        self.0.memory.log()
    }

    /// Changes when a reader has said that the log lacks what it has read.
    #[must_use]
    pub fn disputed(&self) -> watch::Receiver<u64> {
        self.0.memory.disputes()
    }

    fn signals(&self) -> &Signals {
        &self.0.signals
    }

    fn sources(&self) -> &Sources {
        &self.0.sources
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.0.memory
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.0.memory.cache
    }

    pub(crate) fn tell_changed(&self, stream: &StreamName) {
        // Nobody listens: nobody to tell.
        let _ = self.0.changes.send(stream.clone());
    }
}
