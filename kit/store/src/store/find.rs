//! Entities read outside transactions, as [`Store::read`] reads.

use sea_orm::{FromQueryResult, QueryTrait};
use tradewind_domain::Error;
use tradewind_sql::db;

use super::Store;

impl Store {
    /// The rows that an entity's query finds.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn find<M: FromQueryResult>(&self, query: impl QueryTrait + Send) -> Result<Vec<M>, Error> {
        let statement = query.build(self.backend());
        self.read(statement).await?.iter().map(|row| M::from_query_result(row, "").map_err(db)).collect()
    }
}
