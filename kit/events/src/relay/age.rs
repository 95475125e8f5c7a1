//! How long the oldest event has waited that is not known to be at the broker.

use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, statement};
use tradewind_store::Store;

use super::CONSUMER;
use crate::metrics::metrics;

/// Records it, whether the broker is there or not. The cursor is saved lazily, so up to a second means nothing.
pub(crate) async fn measure(store: &Store) {
    match oldest_unpublished(store).await {
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

/// When the oldest event was recorded that the relay's cursor has not passed.
pub(crate) async fn oldest_unpublished(store: &Store) -> Result<Option<OffsetDateTime>, Error> {
    let next = |partition: u16| {
        format!(
            "SELECT e.time FROM log l JOIN event e ON e.stream = l.stream AND e.version = l.version \
             WHERE l.partition = {partition} AND l.position = 1 + COALESCE((SELECT position FROM cursor \
             WHERE consumer = $1 AND source = $2 AND partition = {partition}), 0)"
        )
    };
    let each: Vec<String> = (0..store.partitions()).map(next).collect();
    let query = format!("SELECT MIN(time) AS oldest FROM ({}) AS next", each.join(" UNION ALL "));
    let query = statement(store.backend(), query, [CONSUMER.into(), store.context().into()]);
    let rows = store.read(query).await?;
    let oldest: Option<i64> = rows.first().map(|row| row.try_get("", "oldest")).transpose().map_err(db)?.flatten();
    Ok(oldest.map(from_micros))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
    use tradewind_sql::micros;
    use tradewind_store::Cursor;
    use tradewind_testing::{Database, Stopped, at};

    use super::*;
    use sea_orm::{ConnectionTrait, DbBackend};
    use uuid::Uuid;

    /// Puts an event into partition 0 of the log, at the position that is its version.
    async fn record(bank: &Stopped, stream: &str, version: i64, seconds: i64) {
        let event = "INSERT INTO event (stream, version, id, type, payload, partition_key, partition, time, correlation, \
             causation, traceparent) VALUES ($1, $2, $3, '', $4, '', 0, $5, '', '', '')";
        let log = "INSERT INTO log (partition, position, stream, version) VALUES (0, $2, $1, $2)";
        let backend = bank.store.backend();
        let tx = bank.store.begin().await.unwrap();
        let payload: Vec<u8> = Vec::new();
        let values = [stream.into(), version.into(), Uuid::new_v4().into(), payload.into(), micros(at(seconds)).into()];
        tx.conn().execute_raw(statement(backend, event, values)).await.unwrap();
        if backend == DbBackend::Postgres {
            tx.conn().execute_raw(statement(backend, log, [stream.into(), version.into()])).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    tradewind_testing::both_stores! {
        async fn the_oldest_unpublished_event_is_known(database: Database) {
            let bank = Stopped::open(&database).await;
            assert_eq!(oldest_unpublished(&bank.store).await.unwrap(), None);
            record(&bank, "a", 1, 10).await;
            record(&bank, "a", 2, 20).await;
            assert_eq!(oldest_unpublished(&bank.store).await.unwrap(), Some(at(10)));
            let publish = async |from, to| {
                let mut tx = bank.store.begin().await.unwrap();
                let at = |position| Cursor { position, incarnation: bank.store.incarnation(), event: None };
                assert!(tx.advance_cursor("relay", "bank", 0, at(from), at(to)).await.unwrap());
                tx.commit().await.unwrap();
            };
            publish(0, 1).await;
            assert_eq!(oldest_unpublished(&bank.store).await.unwrap(), Some(at(20)));
            publish(1, 2).await;
            assert_eq!(oldest_unpublished(&bank.store).await.unwrap(), None);
        }
    }
}
