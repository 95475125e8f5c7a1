//! The connections of those who only look: a few at a time, in turn, and no more of them wait than are served soon. Transactions,
//! and what keeps a replica's place, have connections of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use sea_orm_migration::prelude::async_trait;
use tokio::sync::SemaphorePermit;

use crate::error::TOO_MANY_READS;
use crate::sqlite::Options;
use crate::watched::{Pool, Turns};

/// Reads at a time: the pool has one connection more, for what a command has to know.
const TURNS: usize = 3;
/// Reads that wait for their turn; more are refused.
const MOST_WAITING: usize = 128;

/// What reads outside transactions; it cannot write.
pub struct Reads {
    turns: Arc<Turns>,
    waiting: AtomicUsize,
    /// How a connection to an SQLite file is opened that reads.
    file: Option<Options>,
}

impl Reads {
    pub(super) fn new(pool: DatabaseConnection, file: Option<Options>) -> Self {
        Self { turns: Turns::new(Pool::Reads, pool, TURNS), waiting: AtomicUsize::new(0), file }
    }

    /// How another connection to an SQLite file is opened; `None` on PostgreSQL.
    pub(super) fn file(&self) -> Option<&Options> {
        self.file.as_ref()
    }

    /// The connections themselves, for those who need not wait.
    #[must_use]
    pub fn pool(&self) -> &DatabaseConnection {
        self.turns.pool()
    }

    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, DbErr> {
        if let Some(turn) = self.turns.at_once() {
            return Ok(turn);
        }
        let _place = Place::of(&self.waiting)?;
        // It is never closed.
        self.turns.take().await.map_err(|error| DbErr::Custom(error.to_string()))
    }
}

/// A place among those who wait.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn of(waiting: &'a AtomicUsize) -> Result<Self, DbErr> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(waiting);
        if before < MOST_WAITING { Ok(place) } else { Err(DbErr::Custom(TOO_MANY_READS.to_owned())) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reads {
    fn get_database_backend(&self) -> DbBackend {
        self.pool().get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let _turn = self.turn().await?;
        self.pool().execute_raw(statement).await
    }

    async fn execute_unprepared(&self, text: &str) -> Result<ExecResult, DbErr> {
        let _turn = self.turn().await?;
        self.pool().execute_unprepared(text).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let _turn = self.turn().await?;
        self.pool().query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let _turn = self.turn().await?;
        self.pool().query_all_raw(statement).await
    }
}
