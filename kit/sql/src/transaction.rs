//! An open transaction on either database.
//!
//! SQLite has one writer: whoever holds the lock on its connection uses it, and BEGIN, COMMIT and ROLLBACK are statements like
//! others.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_orm_migration::prelude::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::yield_now;
use tradewind_domain::Error;

use crate::error::db;
use crate::mark::Marked;
use crate::script::Script;
use crate::sessions::OpenSession;
use crate::sqlite::Pool;
use crate::statement::statement;
use crate::watched::{self, Now, Waits, watch};

/// When a commit is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Once it is on disk.
    #[default]
    OnDisk,
    /// Before that: where the machine or PostgreSQL dies within a moment, it is as if it had not been, and so is what was
    /// committed after it in the same way. What is committed [on disk](Self::OnDisk) after it on SQLite takes it along. For what is
    /// made again from elsewhere, of what is committed with it.
    Later,
}

/// What the writer knows of its connection.
#[derive(Default)]
pub(super) struct Known {
    /// Of others' writes: on which of its connections, and the number that a commit of another changes there.
    seen: (u64, i64),
    /// How the last commit on it was answered. One that was opened since answers [on disk](Durability::OnDisk).
    durability: Durability,
}

/// SQLite's one writer.
pub(super) struct Writer {
    session: Pool,
    turns: Arc<Mutex<Known>>,
    waits: Waits,
    /// The file; `None` for a database in memory.
    marked: Option<Arc<Marked>>,
}

impl Writer {
    pub(super) fn new(session: Pool, marked: Option<Arc<Marked>>) -> Self {
        let turns = Arc::<Mutex<Known>>::default();
        let watched = Arc::downgrade(&turns);
        watch(watched::Pool::Transactions, 1, move || {
            let is_used = watched.upgrade()?.try_lock().is_err();
            Some(Now { used: usize::from(is_used), open: Some(1) })
        });
        Self { session, turns, waits: Waits::of(watched::Pool::Transactions), marked }
    }

    /// Waits for its turn and begins.
    pub(super) async fn begin(&self, durability: Durability) -> Result<Turn, Error> {
        let mut turn = self.waits.during(Arc::clone(&self.turns).lock_owned()).await;
        if let Some(marked) = &self.marked {
            marked.checkpoint(&self.session, false).await?;
        }
        if turn.durability != durability {
            // It is of no use within a transaction.
            let text = match durability {
                Durability::OnDisk => "PRAGMA synchronous = FULL",
                Durability::Later => "PRAGMA synchronous = NORMAL",
            };
            self.session.set(text).await.map_err(db)?;
            turn.durability = durability;
        }
        // Whatever becomes of BEGIN, even if nobody waits for it any more, the turn ends with a rollback.
        let mut turn = Turn { session: self.session.clone(), turn: Some(turn), interrupted: false };
        let run = |text| statement(DbBackend::Sqlite, text, []);
        self.session.execute_raw(run("BEGIN IMMEDIATE")).await.map_err(db)?;
        let others = self.session.query_one_raw(run("PRAGMA data_version")).await.map_err(db)?;
        let now = others.map_or(Ok(0), |row| row.try_get("", "data_version")).map_err(db)?;
        let now = (self.session.opened(), now);
        if let Some(known) = turn.turn.as_deref_mut() {
            turn.interrupted = known.seen != now;
            known.seen = now;
        }
        Ok(turn)
    }

    /// Leaves the file in order: everything is in it.
    pub(super) async fn rest(&self) -> Result<(), Error> {
        let _turn = self.turns.lock().await;
        match &self.marked {
            Some(marked) => marked.checkpoint(&self.session, true).await,
            None => Ok(()),
        }
    }

    pub(super) fn marked(&self) -> Option<&Marked> {
        self.marked.as_deref()
    }
}

/// The right to write; given back by committing or, when dropped, by rolling back.
pub(super) struct Turn {
    session: Pool,
    turn: Option<OwnedMutexGuard<Known>>,
    /// Another process, such as an operator's tool, has written since the last turn.
    pub(super) interrupted: bool,
}

impl Turn {
    /// The connection, as long as the transaction is open on it: what would be run after an error that has ended it would commit.
    fn open(&self) -> Result<&Pool, DbErr> {
        if self.session.is_open() {
            return Ok(&self.session);
        }
        // As a full disk does, which passes: the statement is not to blame.
        Err(DbErr::Conn(RuntimeErr::Internal("an error has ended the transaction".to_owned())))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.turn.is_some() {
            self.session.roll_back();
        }
    }
}

/// An open transaction; dropping it rolls back.
///
/// On PostgreSQL it begins with the first statement that is run on it: one that only [reads](Self::read), decides and writes with
/// the commit sees at READ COMMITTED what it would see anyway, and its script is a transaction by itself.
pub struct Transaction(Open);

enum Open {
    Sqlite(Turn),
    Postgres(OpenSession, Durability),
}

impl Transaction {
    pub(super) fn sqlite(turn: Turn) -> Self {
        Self(Open::Sqlite(turn))
    }

    pub(super) fn postgres(session: OpenSession, durability: Durability) -> Self {
        Self(Open::Postgres(session, durability))
    }

    /// Runs a statement that only reads, and locks nothing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn read(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.0 {
            Open::Sqlite(turn) => turn.open()?.query_all_raw(statement).await,
            Open::Postgres(session, _) => session.read(statement).await,
        }
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
                last.run(turn.open()?).await?;
                let turn = turn.turn.take();
                then();
                drop(turn);
                // Nothing above has waited: others go on before whoever does one transaction after the other.
                yield_now().await;
            }
            Open::Postgres(session, durability) => {
                if durability == Durability::Later {
                    last.answered_before_it_is_on_disk();
                }
                session.commit(last).await?;
                then();
            }
        }
        Ok(())
    }

    /// The connection, once the transaction has begun on it.
    async fn begun(&self) -> Result<Begun<'_>, DbErr> {
        match &self.0 {
            Open::Sqlite(turn) => turn.open().map(Begun::Sqlite),
            Open::Postgres(session, _) => session.begun().await.map(Begun::Postgres),
        }
    }
}

enum Begun<'a> {
    Sqlite(&'a Pool),
    Postgres(&'a DatabaseTransaction),
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        match &self.0 {
            Open::Sqlite(_) => DbBackend::Sqlite,
            Open::Postgres(..) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self.begun().await? {
            Begun::Sqlite(session) => session.execute_raw(statement).await,
            Begun::Postgres(session) => session.execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        match self.begun().await? {
            Begun::Sqlite(session) => session.execute_unprepared(text).await,
            Begun::Postgres(session) => session.execute_unprepared(text).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self.begun().await? {
            Begun::Sqlite(session) => session.query_one_raw(statement).await,
            Begun::Postgres(session) => session.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self.begun().await? {
            Begun::Sqlite(session) => session.query_all_raw(statement).await,
            Begun::Postgres(session) => session.query_all_raw(statement).await,
        }
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
