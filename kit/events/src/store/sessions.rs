//! PostgreSQL's connections for transactions.
//!
//! The driver's pool asks every connection that is given back whether it lives, which costs as much as a statement. So a few
//! stay checked out from one transaction to the next, and BEGIN and COMMIT are statements like others; the driver believes
//! itself in a transaction all the time. Only what committed is kept: whatever else has become of a connection, the pool finds
//! out. What one of them has suffered the others may have, too: where the database was away, none is kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, Statement, TransactionTrait,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tradewind_domain::Error;

use super::memory::Memory;
use crate::error::{self, db};

/// How many connections are kept, of those that the pool may have: the others are for reads.
const KEPT: usize = 12;
/// After so long a connection goes back to the pool, so that none lives for ever.
const LIFETIME: Duration = Duration::from_secs(600);
/// After so long without a transaction, too.
const IDLE: Duration = Duration::from_secs(60);
/// After so long it is not trusted with a statement that cannot be sent again.
const UNTESTED: Duration = Duration::from_secs(10);
/// How long a kept connection may take to begin.
const BEGIN: Duration = Duration::from_secs(2);

/// The connections that transactions run on.
pub(super) struct Sessions {
    pool: DatabaseConnection,
    /// One for each connection that is kept, or will be.
    permits: Arc<Semaphore>,
    kept: Arc<Mutex<Vec<Kept>>>,
    memory: Arc<Memory>,
}

/// A connection that is in no transaction.
struct Kept {
    connection: DatabaseTransaction,
    permit: OwnedSemaphorePermit,
    born: Instant,
    used: Instant,
}

impl Sessions {
    pub(super) fn new(pool: DatabaseConnection, memory: Arc<Memory>) -> Self {
        Self { pool, permits: Arc::new(Semaphore::new(KEPT)), kept: Arc::default(), memory }
    }

    /// Begins a transaction at READ COMMITTED.
    pub(super) async fn begin(&self) -> Result<OpenSession, Error> {
        while let Some(Kept { connection, permit, born, .. }) = self.last() {
            if let Ok(Ok(_)) = timeout(BEGIN, connection.execute_unprepared("BEGIN")).await {
                return Ok(self.open(connection, Some(permit), born));
            }
            self.lost();
        }
        let connection = self.pool.begin().await.map_err(db)?;
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok();
        Ok(self.open(connection, permit, Instant::now()))
    }

    fn open(
        &self,
        connection: DatabaseTransaction,
        permit: Option<OwnedSemaphorePermit>,
        born: Instant,
    ) -> OpenSession {
        OpenSession { connection, permit, born, kept: Arc::clone(&self.kept), memory: Arc::clone(&self.memory) }
    }

    /// The database was away: no connection is kept, and nothing remembered.
    fn lost(&self) {
        self.lock().clear();
        self.memory.forget();
    }

    /// Runs a statement by itself, which commits it.
    pub(super) async fn run(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let Some(kept) = self.last().filter(|kept| kept.used.elapsed() < UNTESTED) else {
            return self.pool.query_all_raw(statement).await;
        };
        let rows = kept.connection.query_all_raw(statement).await;
        match &rows {
            Ok(_) => keep(&self.kept, kept),
            Err(error) if error::is_away(error) => self.lost(),
            Err(_) => {}
        }
        rows
    }

    /// Gives back every connection that is kept.
    pub(super) async fn clear(&self) {
        let kept = std::mem::take(&mut *self.lock());
        join_all(kept.into_iter().map(|kept| give_back(kept.connection))).await;
    }

    fn last(&self) -> Option<Kept> {
        self.lock().pop()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open transaction; dropping it rolls back and gives the connection to the pool.
pub(crate) struct OpenSession {
    connection: DatabaseTransaction,
    /// Its connection can be kept.
    permit: Option<OwnedSemaphorePermit>,
    born: Instant,
    kept: Arc<Mutex<Vec<Kept>>>,
    memory: Arc<Memory>,
}

impl OpenSession {
    pub(super) fn connection(&self) -> &DatabaseTransaction {
        &self.connection
    }

    pub(super) async fn commit(self) -> Result<(), Error> {
        let Self { connection, permit, born, kept, memory } = self;
        let lost = |error: DbErr| {
            if error::is_away(&error) {
                memory.forget();
            }
            error::commit(error)
        };
        match permit {
            Some(permit) if born.elapsed() < LIFETIME => {
                connection.execute_unprepared("COMMIT").await.map_err(lost)?;
                keep(&kept, Kept { connection, permit, born, used: Instant::now() });
                Ok(())
            }
            _ => connection.commit().await.map_err(lost),
        }
    }
}

/// Keeps a connection for the next transaction; those that were not used for long go back to the pool.
fn keep(kept: &Mutex<Vec<Kept>>, last: Kept) {
    let now = Instant::now();
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    // The longest unused come first.
    let idle = kept.iter().take_while(|kept| now - kept.used > IDLE).count();
    for Kept { connection, .. } in kept.drain(..idle) {
        tokio::spawn(give_back(connection));
    }
    kept.push(Kept { used: now, ..last });
}

/// Gives the pool a connection that is in no transaction: the driver is going to end the one that it believes in.
async fn give_back(connection: DatabaseTransaction) {
    if connection.execute_unprepared("BEGIN").await.is_ok() {
        // Where it fails, the pool finds out.
        let _ = connection.rollback().await;
    }
}
