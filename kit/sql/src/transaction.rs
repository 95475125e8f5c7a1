//! An open transaction on either database.
//!
//! SQLite has one writer. Through the pool each transaction would cost two more hops to the connection's thread, to test
//! the connection on return and to fetch it again, and one more for COMMIT. So one connection stays checked out for good,
//! whoever holds the lock on it uses it, and BEGIN, COMMIT and ROLLBACK are statements like others: the last writes and
//! COMMIT are one script. The driver believes itself in a transaction all the time, which makes a nested `begin` of a
//! service the savepoint it should be.

use std::sync::Arc;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    TransactionTrait,
};
use sea_orm_migration::prelude::async_trait;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tradewind_domain::Error;

use crate::error::db;
use crate::mark::Marked;
use crate::script::Script;
use crate::sessions::OpenSession;
use crate::statement::statement;

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
pub(super) struct Turn {
    connection: Arc<DatabaseTransaction>,
    session: Option<OwnedMutexGuard<Session>>,
    /// Another process, such as an operator's tool, has written since the last turn.
    pub(super) interrupted: bool,
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

/// An open transaction; dropping it rolls back.
///
/// On PostgreSQL it begins with the first statement that is run on it: one that only [reads](Self::read), decides and writes with
/// the commit sees at READ COMMITTED what it would see anyway, and its script is a transaction by itself.
pub struct Transaction(Open);

enum Open {
    Sqlite(Turn),
    Postgres(OpenSession),
}

impl Transaction {
    pub(super) fn sqlite(turn: Turn) -> Self {
        Self(Open::Sqlite(turn))
    }

    pub(super) fn postgres(session: OpenSession) -> Self {
        Self(Open::Postgres(session))
    }

    /// Runs a statement that only reads, and locks nothing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn read(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.0 {
            Open::Sqlite(turn) => turn.connection.query_all_raw(statement).await,
            Open::Postgres(session) => session.read(statement).await,
        }
    }

    /// Begins a savepoint.
    ///
    /// # Errors
    /// What the database says.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        self.begun().await?.begin().await
    }

    /// Tells whether another process has written to an SQLite file since the last transaction of this one.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        matches!(&self.0, Open::Sqlite(turn) if turn.interrupted)
    }

    /// Runs the last writes and commits; `then` happens before anybody else can write on SQLite.
    ///
    /// # Errors
    /// What the database says; where it was away, it may or may not have been committed.
    pub async fn commit(self, mut last: Script, then: impl FnOnce()) -> Result<(), DbErr> {
        match self.0 {
            Open::Sqlite(mut turn) => {
                last.start("COMMIT");
                last.run(&*turn.connection).await?;
                let session = turn.session.take();
                then();
                drop(session);
            }
            Open::Postgres(session) => {
                session.commit(last).await?;
                then();
            }
        }
        Ok(())
    }

    /// The connection, once the transaction has begun on it.
    async fn begun(&self) -> Result<&DatabaseTransaction, DbErr> {
        match &self.0 {
            Open::Sqlite(turn) => Ok(&turn.connection),
            Open::Postgres(session) => session.begun().await,
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        match &self.0 {
            Open::Sqlite(_) => DbBackend::Sqlite,
            Open::Postgres(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.begun().await?.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        self.begun().await?.execute_unprepared(text).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.begun().await?.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.begun().await?.query_all_raw(statement).await
    }
}

/// A transaction for what only reads, and locks nothing: it need not begin for that.
pub struct Reading<'a>(pub &'a Transaction);

#[async_trait::async_trait]
impl ConnectionTrait for Reading<'_> {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(text).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.0.read(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.read(statement).await
    }
}
