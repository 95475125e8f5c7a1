//! Connections to one SQLite database, and the statements that run on them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Result};
use sea_orm::sqlx::Error as SqlxError;
use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, ExecResult, ProxyDatabaseTrait, ProxyExecResult,
    ProxyRow, QueryResult, RuntimeErr, Statement,
};
use sea_orm_migration::prelude::async_trait;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::coop::consume_budget;
use tokio::time::timeout;

use super::error::driver;
use super::place::{self, Places};
use super::{Options, value};

/// How long a connection is waited for.
const ACQUIRE: Duration = Duration::from_secs(5);

/// Connections to one database, opened when they are needed. One that has only one connection is a session, too.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    options: Options,
    turns: Semaphore,
    idle: Mutex<Vec<Connection>>,
    places: Places,
    /// How many connections there have been.
    opened: AtomicU64,
    /// What went wrong where sea-orm takes no error: whoever uses the session next is told.
    untold: Mutex<Option<DbErr>>,
}

impl Pool {
    /// Opens the first connection.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn open(options: Options) -> std::result::Result<Self, DbErr> {
        let first = place::beside(|| options.open()).map_err(|error| DbErr::Conn(driver(error)))?;
        let turns = Semaphore::new(usize::try_from(options.connections).unwrap_or(usize::MAX));
        let (idle, places, untold) = (Mutex::new(vec![first]), Places::default(), Mutex::default());
        Ok(Self(Arc::new(Shared { options, turns, idle, places, opened: AtomicU64::new(1), untold })))
    }

    /// The same as sea-orm has connections.
    ///
    /// # Errors
    /// None that is known.
    pub(crate) async fn connection(&self) -> std::result::Result<DatabaseConnection, DbErr> {
        Database::connect_proxy(DbBackend::Sqlite, Arc::new(Box::new(self.clone()))).await
    }

    /// How many connections there have been: what is said of one says nothing of another.
    pub(crate) fn opened(&self) -> u64 {
        self.0.opened.load(Ordering::Relaxed)
    }

    /// Whether a session is in a transaction: an error may have ended it.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().first().is_some_and(|connection| !connection.is_autocommit())
    }

    /// Ends a session's transaction, if it is in one.
    pub(crate) fn roll_back(&self) {
        let mut idle = self.lock();
        let open = idle.iter().position(|connection| !connection.is_autocommit());
        let Some(connection) = open.map(|index| idle.swap_remove(index)) else { return };
        match connection.execute_batch("ROLLBACK") {
            Ok(()) => idle.push(connection),
            Err(error) => tracing::warn!(%error, "rolling back failed; the connection is replaced"),
        }
    }

    async fn turn(&self) -> std::result::Result<SemaphorePermit<'_>, DbErr> {
        if let Ok(turn) = self.0.turns.try_acquire() {
            return Ok(turn);
        }
        let late = |_| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(SqlxError::PoolTimedOut)));
        let turn = timeout(ACQUIRE, self.0.turns.acquire()).await.map_err(late)?;
        // It is never closed.
        turn.map_err(|error| DbErr::Custom(error.to_string()))
    }

    /// Does `work` on a connection.
    async fn on<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> std::result::Result<T, DbErr> {
        if let Some(error) = self.untold().take() {
            return Err(error);
        }
        // What runs in place never waits: after so many statements other tasks go on.
        consume_budget().await;
        let _turn = self.turn().await?;
        let idle = self.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let opened = place::beside(|| self.0.options.open()).map_err(|error| DbErr::Conn(driver(error)))?;
                self.0.opened.fetch_add(1, Ordering::Relaxed);
                opened
            }
        };
        let done = work(&connection);
        self.lock().push(connection);
        done.map_err(|error| DbErr::Query(driver(error)))
    }

    /// Runs one statement, and gives what `take` makes of it.
    async fn one<T>(
        &self,
        statement: &Statement,
        take: impl Fn(&Connection, &mut rusqlite::Statement<'_>) -> Result<T>,
    ) -> std::result::Result<T, DbErr> {
        let values = statement.values.as_ref().map_or(&[][..], |values| &values.0);
        self.on(|connection| {
            self.0.places.run(&statement.sql, || {
                let mut prepared = connection.prepare_cached(&statement.sql)?;
                value::bind(&mut prepared, values)?;
                take(connection, &mut prepared)
            })
        })
        .await
    }

    async fn rows(&self, statement: &Statement) -> std::result::Result<Vec<ProxyRow>, DbErr> {
        self.one(statement, |_, prepared| {
            let columns = value::Columns::of(prepared);
            let (mut rows, mut taken) = (prepared.raw_query(), Vec::new());
            while let Some(row) = rows.next()? {
                taken.push(columns.row(row)?);
            }
            Ok(taken)
        })
        .await
    }

    async fn run(&self, statement: &Statement) -> std::result::Result<ProxyExecResult, DbErr> {
        self.one(statement, |connection, prepared| {
            let mut rows = prepared.raw_query();
            while rows.next()?.is_some() {}
            Ok(changed(connection))
        })
        .await
    }

    /// Runs what may be several statements.
    async fn run_all(&self, text: &str) -> std::result::Result<ProxyExecResult, DbErr> {
        self.on(|connection| place::beside(|| connection.execute_batch(text)).map(|()| changed(connection))).await
    }

    /// Changes how a session works from now on, which is quick. It is never prepared: what was so before takes no effect again.
    ///
    /// # Errors
    /// What SQLite says.
    pub(crate) async fn set(&self, text: &str) -> std::result::Result<(), DbErr> {
        self.on(|connection| connection.execute_batch(text)).await
    }

    /// A statement of a transaction of sea-orm's, which only a session can have.
    async fn step(&self, text: &str) {
        let done = match self.0.options.connections {
            1 => self.run_all(text).await,
            _ => Err(DbErr::Custom("several connections have no transaction together".to_owned())),
        };
        if let Err(error) = done {
            self.roll_back();
            self.untold().get_or_insert(error);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn untold(&self) -> MutexGuard<'_, Option<DbErr>> {
        self.0.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn changed(connection: &Connection) -> ProxyExecResult {
    ProxyExecResult::new(u64::try_from(connection.last_insert_rowid()).unwrap_or_default(), connection.changes())
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.0.options.file).finish()
    }
}

#[async_trait::async_trait]
impl ProxyDatabaseTrait for Pool {
    async fn query(&self, statement: Statement) -> std::result::Result<Vec<ProxyRow>, DbErr> {
        self.rows(&statement).await
    }

    async fn execute(&self, statement: Statement) -> std::result::Result<ProxyExecResult, DbErr> {
        // sea-orm does not tell a text that may be several statements from one.
        if statement.values.is_none() { self.run_all(&statement.sql).await } else { self.run(&statement).await }
    }

    async fn begin(&self) {
        self.step("BEGIN IMMEDIATE").await;
    }

    async fn commit(&self) {
        self.step("COMMIT").await;
    }

    async fn rollback(&self) {
        self.step("ROLLBACK").await;
    }

    fn start_rollback(&self) {
        self.roll_back();
    }

    /// Tells what is untold.
    async fn ping(&self) -> std::result::Result<(), DbErr> {
        self.run_all("").await.map(drop)
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    async fn execute_raw(&self, statement: Statement) -> std::result::Result<ExecResult, DbErr> {
        self.run(&statement).await.map(ExecResult::from)
    }

    async fn execute_unprepared(&self, text: &str) -> std::result::Result<ExecResult, DbErr> {
        self.run_all(text).await.map(ExecResult::from)
    }

    async fn query_one_raw(&self, statement: Statement) -> std::result::Result<Option<QueryResult>, DbErr> {
        Ok(self.rows(&statement).await?.into_iter().next().map(QueryResult::from))
    }

    async fn query_all_raw(&self, statement: Statement) -> std::result::Result<Vec<QueryResult>, DbErr> {
        Ok(self.rows(&statement).await?.into_iter().map(QueryResult::from).collect())
    }
}
