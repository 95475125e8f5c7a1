//! PostgreSQL's connections for transactions, and those for what must not wait for them.
//!
//! The driver's pool asks every connection that is given back whether it lives, which costs as much as a statement. So a few
//! stay checked out from one transaction to the next, and BEGIN and COMMIT are statements like others; the driver believes
//! itself in a transaction all the time. Only what committed is kept: whatever else has become of a connection, the pool finds
//! out. What one of them has suffered the others may have, too: where the database was away, none is kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, QueryResult, RuntimeErr, Statement,
    TransactionTrait,
};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tradewind_domain::{Error, ErrorKind};

use crate::Away;
use crate::connect::STATEMENT;
use crate::error::{self, db};
use crate::script::Script;
use crate::watched::{Pool, Turns};

/// After so long a connection goes back to the pool, so that none lives for ever.
const LIFETIME: Duration = Duration::from_secs(600);
/// After so long without a transaction, too.
const IDLE: Duration = Duration::from_secs(60);
/// After so long it is not trusted with a statement that cannot be sent again.
const UNTESTED: Duration = Duration::from_secs(10);
/// How long a transaction may wait until it can begin.
const TURN: Duration = Duration::from_secs(5);
/// How long a kept connection may take to begin.
const BEGIN: Duration = Duration::from_secs(2);
/// A server that is there says within this what became of a statement: it ends itself what takes longer than
/// [`STATEMENT`](crate::connect::STATEMENT).
const SILENCE: Duration = STATEMENT.saturating_add(Duration::from_secs(5));

/// The connections that transactions run on.
pub(super) struct Sessions {
    /// One for each connection of the pool: who waits for one waits here, so that a kept one is not overlooked.
    turns: Arc<Turns>,
    /// One for each connection that is kept, or will be.
    permits: Arc<Semaphore>,
    kept: Arc<Mutex<Vec<Kept>>>,
    away: Away,
}

/// A connection that is in no transaction.
struct Kept {
    connection: DatabaseTransaction,
    permit: OwnedSemaphorePermit,
    born: Instant,
    used: Instant,
}

impl Sessions {
    /// Sessions on the `connections` of a pool, all but the `spare` of which are kept.
    pub(super) fn new(what: Pool, pool: DatabaseConnection, connections: u32, spare: u32, away: Away) -> Self {
        let count = |count: u32| usize::try_from(count).unwrap_or_default();
        let turns = Turns::new(what, pool, count(connections));
        let permits = Arc::new(Semaphore::new(count(connections.saturating_sub(spare))));
        Self { turns, permits, kept: Arc::default(), away }
    }

    /// Begins a transaction at READ COMMITTED.
    pub(super) async fn begin(&self) -> Result<OpenSession, Error> {
        let turn = timeout(TURN, self.turns.take_along()).await;
        // It is never closed.
        let turn = turn.ok().and_then(Result::ok).ok_or_else(too_many)?;
        while let Some(Kept { connection, permit, born, used }) = self.last() {
            // One that answered a moment ago needs not be asked whether it lives.
            if used.elapsed() < UNTESTED {
                return Ok(self.open(connection, turn, Some(permit), born, OnceCell::new()));
            }
            if let Ok(Ok(_)) = timeout(BEGIN, connection.execute_unprepared("BEGIN")).await {
                return Ok(self.open(connection, turn, Some(permit), born, OnceCell::new_with(Some(()))));
            }
            self.lost();
        }
        let connection = self.turns.pool().begin().await.map_err(db)?;
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok();
        Ok(self.open(connection, turn, permit, Instant::now(), OnceCell::new_with(Some(()))))
    }

    fn open(
        &self,
        connection: DatabaseTransaction,
        turn: OwnedSemaphorePermit,
        permit: Option<OwnedSemaphorePermit>,
        born: Instant,
        begun: OnceCell<()>,
    ) -> OpenSession {
        OpenSession {
            connection,
            begun,
            _turn: turn,
            permit,
            born,
            kept: Arc::clone(&self.kept),
            away: Arc::clone(&self.away),
        }
    }

    /// The database was away: no connection is kept, and nothing remembered.
    fn lost(&self) {
        self.lock().clear();
        (self.away)();
    }

    /// Runs a statement by itself, which commits it.
    pub(super) async fn run(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        // Whoever asks from within a transaction must not wait for others who do: then the pool decides.
        let _turn = timeout(TURN, self.turns.take()).await;
        let Some(kept) = self.last().filter(|kept| kept.used.elapsed() < UNTESTED) else {
            return answer(SILENCE, self.turns.pool().query_all_raw(statement)).await;
        };
        let rows = answer(SILENCE, kept.connection.query_all_raw(statement)).await;
        match &rows {
            Ok(_) if kept.born.elapsed() < LIFETIME => keep(&self.kept, kept),
            Ok(_) => drop(tokio::spawn(give_back(kept.connection))),
            Err(error) if error::is_away(error) => self.lost(),
            Err(_) => {}
        }
        rows
    }

    /// The same on a connection that is kept for such statements, where no transaction has left one.
    pub(super) async fn run_kept(&self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        if self.permits.available_permits() > 0 {
            self.begin().await?.commit(Script::new(DbBackend::Postgres)).await.map_err(db)?;
        }
        self.run(statement).await.map_err(db)
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

/// A transaction; dropping it rolls back and gives the connection to the pool.
pub(super) struct OpenSession {
    connection: DatabaseTransaction,
    /// Filled once it has begun.
    begun: OnceCell<()>,
    _turn: OwnedSemaphorePermit,
    /// Its connection can be kept.
    permit: Option<OwnedSemaphorePermit>,
    born: Instant,
    kept: Arc<Mutex<Vec<Kept>>>,
    away: Away,
}

impl OpenSession {
    /// Runs a statement that only reads, whether the transaction has begun or not.
    pub(super) async fn read(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.answer(SILENCE, self.connection.query_all_raw(statement)).await
    }

    /// The connection, once the transaction has begun.
    pub(super) async fn begun(&self) -> Result<&DatabaseTransaction, DbErr> {
        let begin = async || self.answer(BEGIN, self.connection.execute_unprepared("BEGIN")).await.map(drop);
        self.begun.get_or_try_init(begin).await?;
        Ok(&self.connection)
    }

    /// Runs the last writes and commits. One statement that nothing precedes is a transaction by itself.
    pub(super) async fn commit(self, last: Script) -> Result<(), DbErr> {
        if last.is_split() {
            self.begun().await?;
        }
        self.answer(SILENCE, last.run(&self.connection)).await?;
        let is_open = self.begun.initialized();
        let keeps = self.permit.is_some() && self.born.elapsed() < LIFETIME;
        if is_open && keeps {
            self.answer(SILENCE, self.connection.execute_unprepared("COMMIT")).await?;
        }
        let Self { connection, _turn, permit, born, kept, away, .. } = self;
        match permit {
            Some(permit) if keeps => keep(&kept, Kept { connection, permit, born, used: Instant::now() }),
            _ if is_open => {
                let committed = connection.commit().await;
                committed.inspect_err(|error| {
                    if error::is_away(error) {
                        away()
                    }
                })?;
            }
            _ => give_back(connection).await,
        }
        Ok(())
    }

    async fn answer<T>(&self, patience: Duration, said: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        answer(patience, said).await.map_err(|error| self.lost(error))
    }

    /// Where the database was away, no connection is kept, and nothing remembered.
    fn lost(&self, error: DbErr) -> DbErr {
        if error::is_away(&error) {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
            (self.away)();
        }
        error
    }
}

/// What the server says, if it says anything: one that is gone without a word is as good as away.
async fn answer<T>(patience: Duration, said: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    let silent = |_| Err(DbErr::Conn(RuntimeErr::Internal("the server does not answer".to_owned())));
    timeout(patience, said).await.unwrap_or_else(silent)
}

fn too_many() -> Error {
    Error::new(ErrorKind::Exhausted, "TOO_MANY_TRANSACTIONS", "too many transactions at once; try again later")
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
