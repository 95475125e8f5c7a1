//! Statements that must not wait for anybody else's, on connections of their own: of heartbeats, leases, the sequencer, and signs of
//! life. No flood of reads or transactions takes a replica's place.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement};
use tradewind_domain::Error;

use super::Store;
use super::sessions::Sessions;
use crate::error::db;
use crate::sql::statement;

/// How long [`Store::ping`] waits for an answer.
pub(super) const PING: Duration = Duration::from_secs(2);

/// What runs the statements that must not wait.
pub(super) enum Vital {
    Sqlite(DatabaseConnection),
    Postgres(Sessions),
}

impl Store {
    /// Runs a statement that must not wait.
    pub(crate) async fn vital(&self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        match &self.0.vital {
            Vital::Sqlite(connection) => connection.query_all_raw(statement).await.map_err(db),
            Vital::Postgres(sessions) => sessions.run_kept(statement).await,
        }
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
