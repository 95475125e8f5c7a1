//! The connection that a transaction is on.

use sea_orm::{DbBackend, QueryResult, Statement};
use tradewind_domain::Error;
use tradewind_sql::{Reading, Transaction, db};

use super::Tx;

impl Tx {
    /// The connection, for the service's own tables.
    #[must_use]
    pub fn conn(&self) -> &Transaction {
        &self.transaction
    }

    /// The connection for what only reads, and locks nothing.
    #[must_use]
    pub fn reading(&self) -> Reading<'_> {
        Reading(&self.transaction)
    }

    /// Runs a statement that only reads, and locks nothing.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn read(&self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        self.transaction.read(statement).await.map_err(db)
    }

    /// The database it is on.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.store.backend()
    }
}
