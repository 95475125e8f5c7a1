//! How long the own log has waited for a consumer.

use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, statement};

use super::Store;

impl Store {
    /// When the oldest event of this log was recorded that a consumer's cursors have not passed; `None` when there is none.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn oldest_unread(&self, consumer: &str) -> Result<Option<OffsetDateTime>, Error> {
        let next = |partition: u16| {
            format!(
                "SELECT e.time FROM log l JOIN event e ON e.stream = l.stream AND e.version = l.version \
                 WHERE l.partition = {partition} AND l.position = 1 + COALESCE((SELECT position FROM cursor \
                 WHERE consumer = $1 AND source = $2 AND partition = {partition}), 0)"
            )
        };
        let each: Vec<String> = (0..self.partitions()).map(next).collect();
        let query = format!("SELECT MIN(time) AS oldest FROM ({}) AS next", each.join(" UNION ALL "));
        let rows = self.read(statement(self.backend(), query, [consumer.into(), self.context().into()])).await?;
        let oldest: Option<i64> = rows.first().map(|row| row.try_get("", "oldest")).transpose().map_err(db)?.flatten();
        Ok(oldest.map(from_micros))
    }
}
