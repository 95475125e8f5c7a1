//! A database by what is done on it: transactions, reads, and what must not wait for anybody.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement};
use tradewind_domain::Error;

use crate::connect::{Connections, TRANSACTIONS, VITAL};
use crate::damage::{self, Look};
use crate::error::db;
use crate::mark::Marked;
use crate::reads::Reads;
use crate::sessions::Sessions;
use crate::transaction::{Durability, Transaction, Writer};
use crate::watched::Pool;

/// How long giving connections back may take.
const RESTING: Duration = Duration::from_secs(2);

/// A database that is open.
pub struct Database {
    reads: Reads,
    on: On,
}

/// What writes, SQLite's one connection or some of PostgreSQL's pool; and the connections of heartbeats, leases, the sequencer
/// and signs of life. No flood of reads or transactions takes a replica's place.
enum On {
    Sqlite { writer: Writer, vital: DatabaseConnection },
    Postgres { sessions: Sessions, vital: Sessions },
}

impl From<Connections> for Database {
    fn from(Connections { transactions, reads, file, vital, writer, marked, away }: Connections) -> Self {
        let sessions =
            |what, pool, connections, spare| Sessions::new(what, pool, connections, spare, Arc::clone(&away));
        let on = match writer {
            Some(writer) => On::Sqlite { writer: Writer::new(writer, marked), vital },
            // Of the vital ones one is the sequencer's, as good as always.
            None => On::Postgres {
                sessions: sessions(Pool::Transactions, transactions, TRANSACTIONS, 2),
                vital: sessions(Pool::Vital, vital, VITAL, 1),
            },
        };
        Self { reads: Reads::new(reads, file), on }
    }
}

impl Database {
    /// Which of the two it is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.reads.get_database_backend()
    }

    /// Begins a transaction: on SQLite the only writing one at a time, on PostgreSQL one at READ COMMITTED. Its commit is answered as
    /// `durability` says.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached; `Exhausted` when too many wait.
    pub async fn begin(&self, durability: Durability) -> Result<Transaction, Error> {
        match &self.on {
            On::Sqlite { writer, .. } => writer.begin(durability).await.map(Transaction::sqlite),
            On::Postgres { sessions, .. } => {
                sessions.begin().await.map(|session| Transaction::postgres(session, durability))
            }
        }
    }

    /// Reads outside transactions, a few at a time and in turn; where too many wait, it is `Exhausted` with reason
    /// `TOO_MANY_READS`. It cannot write.
    #[must_use]
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Runs a statement by itself. On SQLite it cannot write; on PostgreSQL what it writes is committed.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn run(&self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        match &self.on {
            On::Sqlite { .. } => self.reads.pool().query_all_raw(statement).await.map_err(db),
            On::Postgres { sessions, .. } => sessions.run(statement).await.map_err(db),
        }
    }

    /// The same for a statement that must not wait for anybody else's.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn run_at_once(&self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        match &self.on {
            On::Sqlite { vital, .. } => vital.query_all_raw(statement).await.map_err(db),
            On::Postgres { vital, .. } => vital.run_kept(statement).await,
        }
    }

    /// Makes sure that an SQLite file is still the one that was opened.
    ///
    /// # Errors
    /// `Unavailable` with reason [`DATABASE_REPLACED`](crate::DATABASE_REPLACED).
    pub fn in_place(&self) -> Result<(), Error> {
        self.marked().map_or(Ok(()), Marked::in_place)
    }

    /// Looks for damage in an SQLite file; elsewhere there is nothing to look at.
    ///
    /// # Errors
    /// `Internal` with reason [`DATABASE_CORRUPT`](crate::DATABASE_CORRUPT).
    pub async fn look_for_damage(&self) -> Result<(), Error> {
        if self.marked().is_none() {
            return Ok(());
        }
        damage::check(&self.reads, Look::Quick).await
    }

    /// Gives connections back that are kept from one transaction to the next, and leaves an SQLite file in order: for the end of
    /// a process, before the database is left alone.
    pub async fn rest(&self) {
        match &self.on {
            On::Sqlite { writer, .. } => {
                if let Err(error) = writer.rest().await {
                    tracing::warn!(%error, "the database was not left in order; it is checked at the next start");
                }
            }
            On::Postgres { sessions, vital } => {
                let cleared = async { tokio::join!(sessions.clear(), vital.clear()) };
                if tokio::time::timeout(RESTING, cleared).await.is_err() {
                    tracing::debug!("the database did not answer; its connections are dropped");
                }
            }
        }
    }

    fn marked(&self) -> Option<&Marked> {
        match &self.on {
            On::Sqlite { writer, .. } => writer.marked(),
            On::Postgres { .. } => None,
        }
    }
}
