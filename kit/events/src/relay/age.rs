//! How long the oldest event has waited that is not known to be at the broker.

use time::OffsetDateTime;
use tradewind_domain::Error;

use super::CONSUMER;
use crate::Store;
use crate::error::db;
use crate::metrics::metrics;
use crate::sql::statement;
use crate::times::from_micros;

/// Records it, whether the broker is there or not. The cursor is saved lazily, so up to a second means nothing.
pub(crate) async fn measure(store: &Store) {
    match store.oldest_unpublished().await {
        Ok(oldest) => {
            let age = oldest.map_or(0.0, |time| (store.now() - time).as_seconds_f64().max(0.0));
            metrics().relay_age.record(age, &[]);
        }
        Err(error) => tracing::debug!(%error, "the age of what is to be published cannot be read"),
    }
}

/// This process publishes no more: whoever does tells how far it is.
pub(crate) fn record_end() {
    metrics().relay_age.record(0.0, &[]);
    metrics().relay_lag.record(0, &[]);
}

impl Store {
    /// When the oldest event was recorded that the relay's cursor has not passed.
    pub(crate) async fn oldest_unpublished(&self) -> Result<Option<OffsetDateTime>, Error> {
        let next = |partition: u16| {
            format!(
                "SELECT e.time FROM log l JOIN event e ON e.stream = l.stream AND e.version = l.version \
                 WHERE l.partition = {partition} AND l.position = 1 + COALESCE((SELECT position FROM cursor \
                 WHERE consumer = $1 AND source = $2 AND partition = {partition}), 0)"
            )
        };
        let each: Vec<String> = (0..self.partitions()).map(next).collect();
        let query = format!("SELECT MIN(time) AS oldest FROM ({}) AS next", each.join(" UNION ALL "));
        let query = statement(self.backend(), query, [CONSUMER.into(), self.context().into()]);
        let rows = self.read(query).await?;
        let oldest: Option<i64> = rows.first().map(|row| row.try_get("", "oldest")).transpose().map_err(db)?.flatten();
        Ok(oldest.map(from_micros))
    }
}
