//! What a database says at one moment, in however many statements. Others write meanwhile, and none of that is seen; nor does anybody
//! wait for whoever looks.

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult,
    Statement, TransactionTrait,
};
use sea_orm_migration::prelude::async_trait;
use tokio::sync::SemaphorePermit;
use tradewind_domain::Error;

use crate::error::db;
use crate::reads::Reads;
use crate::sqlite::Pool;

/// A moment of a database: every statement that is run here sees the same. It cannot write; dropping it ends it.
pub struct Moment<'a> {
    open: Open,
    _turn: SemaphorePermit<'a>,
}

enum Open {
    /// A connection of its own, which is closed with it: on one of those that read, others would read, too.
    Sqlite(Pool),
    Postgres(DatabaseTransaction),
}

impl Reads {
    /// Begins a moment: what its first statement sees is what all of them see.
    ///
    /// # Errors
    /// `Unavailable` when the database is; `Exhausted` with reason `TOO_MANY_READS`.
    pub async fn moment(&self) -> Result<Moment<'_>, Error> {
        let turn = self.turn().await.map_err(db)?;
        let open = match self.file() {
            Some(file) => {
                let session = Pool::open(file.clone()).map_err(db)?;
                session.execute_unprepared("BEGIN").await.map_err(db)?;
                Open::Sqlite(session)
            }
            None => {
                let (level, mode) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
                Open::Postgres(self.pool().begin_with_config(Some(level), Some(mode)).await.map_err(db)?)
            }
        };
        Ok(Moment { open, _turn: turn })
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Moment<'_> {
    fn get_database_backend(&self) -> DbBackend {
        match &self.open {
            Open::Sqlite(_) => DbBackend::Sqlite,
            Open::Postgres(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match &self.open {
            Open::Sqlite(session) => session.execute_raw(statement).await,
            Open::Postgres(session) => session.execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        match &self.open {
            Open::Sqlite(session) => session.execute_unprepared(text).await,
            Open::Postgres(session) => session.execute_unprepared(text).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &self.open {
            Open::Sqlite(session) => session.query_one_raw(statement).await,
            Open::Postgres(session) => session.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.open {
            Open::Sqlite(session) => session.query_all_raw(statement).await,
            Open::Postgres(session) => session.query_all_raw(statement).await,
        }
    }
}
