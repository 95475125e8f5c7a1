//! The transaction underneath a [`Tx`](crate::Tx).
//!
//! SQLite has one writer. Through the pool each transaction would cost two more hops to the connection's thread, to test
//! the connection on return and to fetch it again, and one more for COMMIT. So one connection stays checked out for good,
//! whoever holds the lock on it uses it, and BEGIN, COMMIT and ROLLBACK are statements like others: the last writes and
//! COMMIT are one script. The driver believes itself in a transaction all the time, which makes a nested `begin` of a
//! service the savepoint it should be.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, TransactionTrait};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tradewind_domain::Error;

use super::mark::Marked;
use super::sessions::OpenSession;
use crate::error::{self, db};
use crate::sql::{Script, statement};

/// The connection, once it is open, and what it has seen of others' writes.
type Session = Option<(Arc<DatabaseTransaction>, i64)>;

/// Begins, and tells the number that another connection's commit changes.
const BEGIN: &str = "BEGIN IMMEDIATE;\nPRAGMA data_version";

/// SQLite's one writer.
pub(super) struct Writer {
    pool: DatabaseConnection,
    session: Arc<Mutex<Session>>,
    /// The file; `None` for a database in memory.
    marked: Option<Arc<Marked>>,
}

impl Writer {
    pub(super) fn new(pool: DatabaseConnection, marked: Option<Arc<Marked>>) -> Self {
        Self { pool, session: Arc::default(), marked }
    }

    /// Waits for its turn and begins.
    pub(super) async fn begin(&self) -> Result<Turn, Error> {
        let mut session = Arc::clone(&self.session).lock_owned().await;
        let connection = match &*session {
            Some((connection, _)) => Arc::clone(connection),
            None => {
                let connection = Arc::new(self.pool.begin().await.map_err(db)?);
                connection.execute_unprepared("COMMIT").await.map_err(db)?;
                *session = Some((Arc::clone(&connection), 0));
                connection
            }
        };
        if let Some(marked) = &self.marked {
            marked.checkpoint(&*connection, false).await?;
        }
        // Whatever becomes of BEGIN, even if nobody waits for it any more, the turn ends with ROLLBACK.
        let mut turn = Turn { connection, session: Some(session), interrupted: false };
        let begun = turn.connection.query_one_raw(statement(DbBackend::Sqlite, BEGIN, [])).await.map_err(db)?;
        let now = begun.map_or(Ok(0), |row| row.try_get_by_index(0)).map_err(db)?;
        if let Some(Some((_, seen))) = turn.session.as_deref_mut() {
            turn.interrupted = *seen != now;
            *seen = now;
        }
        Ok(turn)
    }

    /// Leaves the file in order: everything is in it.
    pub(super) async fn rest(&self) -> Result<(), Error> {
        let session = self.session.lock().await;
        match (&*session, &self.marked) {
            (Some((connection, _)), Some(marked)) => marked.checkpoint(&**connection, true).await,
            _ => Ok(()),
        }
    }

    pub(super) fn marked(&self) -> Option<&Marked> {
        self.marked.as_deref()
    }
}

/// The right to write; given back by committing or, when dropped, by rolling back.
pub(crate) struct Turn {
    connection: Arc<DatabaseTransaction>,
    session: Option<OwnedMutexGuard<Session>>,
    /// Another process, such as an operator's tool, has written since the last turn.
    pub(super) interrupted: bool,
}

impl Turn {
    pub(super) fn connection(&self) -> &DatabaseTransaction {
        &self.connection
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        let connection = Arc::clone(&self.connection);
        let Ok(runtime) = Handle::try_current() else {
            // The process ends: closing the connection rolls back.
            *session = None;
            return;
        };
        runtime.spawn(async move {
            let rollback = statement(DbBackend::Sqlite, "ROLLBACK", []);
            match connection.execute_raw(rollback).await {
                Ok(_) => {}
                Err(error) if error.to_string().contains("no transaction is active") => {}
                Err(error) => {
                    tracing::warn!(%error, "rolling back failed; the connection is replaced");
                    *session = None;
                }
            }
        });
    }
}

/// An open transaction on either database.
pub(crate) enum Written {
    Sqlite(Turn),
    Postgres(OpenSession),
}

impl Written {
    pub(crate) fn connection(&self) -> &DatabaseTransaction {
        match self {
            Self::Sqlite(turn) => turn.connection(),
            Self::Postgres(session) => session.connection(),
        }
    }

    /// Runs the last writes and commits; `then` happens before anybody else can write on SQLite.
    pub(crate) async fn commit(self, mut last: Script, then: impl FnOnce()) -> Result<(), Error> {
        match self {
            Self::Sqlite(mut turn) => {
                last.start("COMMIT");
                last.run(&*turn.connection).await.map_err(error::commit)?;
                let session = turn.session.take();
                then();
                drop(session);
            }
            Self::Postgres(session) => {
                last.run(session.connection()).await.map_err(error::commit)?;
                session.commit().await?;
                then();
            }
        }
        Ok(())
    }
}
