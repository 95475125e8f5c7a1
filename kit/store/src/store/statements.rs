//! Single statements on the database, and a sign of life.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};
use tradewind_domain::Error;
use tradewind_sql::{Durability, db, statement};

use super::Store;

/// How long [`Store::ping`] waits for an answer.
const PING: Duration = Duration::from_secs(2);

impl Store {
    /// Runs a statement that reads.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn read(&self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        self.noting(self.0.database.run(statement).await)
    }

    /// Runs a statement that writes and commits it; what it returns.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn write(&self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        if self.backend() == DbBackend::Postgres {
            return self.read(statement).await;
        }
        let (transaction, _) = self.transaction(Durability::OnDisk).await?;
        let rows = transaction.query_all_raw(statement).await.map_err(db).inspect_err(|_| self.wrote_not())?;
        self.commit(transaction).await?;
        if !rows.is_empty() {
            self.wrote();
        }
        Ok(rows)
    }

    /// Runs a statement that must not wait for anybody else's: of heartbeats, leases, the sequencer. On SQLite it cannot write.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn vital(&self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        self.0.database.run_at_once(statement).await
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// `Unavailable` when it gives none within two seconds.
    pub async fn ping(&self) -> Result<(), Error> {
        let question = statement(self.backend(), "SELECT value FROM meta WHERE key = 'context'", []);
        match tokio::time::timeout(PING, self.vital(question)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Error::unavailable("DATABASE_UNAVAILABLE", error.to_string())),
            Err(_) => Err(Error::unavailable("DATABASE_UNAVAILABLE", "the database does not answer")),
        }
    }
}
