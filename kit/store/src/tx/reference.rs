//! What parties outside call things: one name, one thing.

use sea_orm::{ConnectionTrait, Value};
use tradewind_domain::Error;
use tradewind_sql::{db, statement};

use super::Tx;

const CLAIM: &str = "INSERT INTO reference (kind, name, key) VALUES ($1, $2, $3) \
     ON CONFLICT (kind, name) DO UPDATE SET key = reference.key RETURNING key";

impl Tx {
    /// Keeps that `name` of this kind, e.g. a charge's id, belongs to `key`, e.g. the order's id; `false`, and nothing changes,
    /// when it belongs to another.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn claim_reference(&mut self, kind: &str, name: &str, key: &str) -> Result<bool, Error> {
        let values: [Value; 3] = [kind.into(), name.into(), key.into()];
        let row = self.conn().query_one_raw(statement(self.backend(), CLAIM, values)).await.map_err(db)?;
        let owner: Option<String> = row.map(|row| row.try_get("", "key")).transpose().map_err(db)?;
        Ok(owner.as_deref() == Some(key))
    }
}
