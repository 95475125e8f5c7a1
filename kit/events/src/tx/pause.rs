//! Pausing and resuming a consumer together with whatever else an operator's act writes.

use sea_orm::{ConnectionTrait, Value};
use tradewind_domain::Error;

use super::Tx;
use crate::Pause;
use crate::error::db;
use crate::sql::statement;
use crate::times::micros;

impl Tx {
    /// Pauses a consumer with everything else in this transaction; returns the first pause where there is one already.
    pub(crate) async fn pause_consumer(&mut self, consumer: &str, by: &str, reason: &str) -> Result<Pause, Error> {
        // A first pause is written onto itself, so that it is returned.
        let insert = "INSERT INTO pause (consumer, since, principal, reason) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (consumer) DO UPDATE SET since = pause.since RETURNING consumer, since, principal, reason";
        let values: [Value; 4] = [consumer.into(), micros(self.now()).into(), by.into(), reason.into()];
        let row = self.conn().query_one_raw(statement(self.backend(), insert, values)).await.map_err(db)?;
        self.told.pauses = true;
        Pause::read(&row.ok_or_else(|| Error::internal("no pause"))?)
    }

    /// Resumes a consumer with everything else in this transaction; `false` when it is not paused.
    pub(crate) async fn resume_consumer(&mut self, consumer: &str) -> Result<bool, Error> {
        let delete = statement(self.backend(), "DELETE FROM pause WHERE consumer = $1", [consumer.into()]);
        let resumed = self.conn().execute_raw(delete).await.map_err(db)?.rows_affected() == 1;
        self.told.pauses |= resumed;
        Ok(resumed)
    }
}
