//! How long the log has waited for a consumer.

use sea_orm::{ConnectionTrait, DbBackend};
use tradewind_sql::{micros, statement};
use tradewind_store::Cursor;
use tradewind_testing::{Database, Stopped, at};
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
    async fn the_oldest_event_that_a_consumer_has_not_passed_is_known(database: Database) {
        let bank = Stopped::open(&database).await;
        let oldest = async || bank.store.oldest_unread("relay").await.unwrap();
        assert_eq!(oldest().await, None);
        record(&bank, "a", 1, 10).await;
        record(&bank, "a", 2, 20).await;
        assert_eq!(oldest().await, Some(at(10)));
        let pass = async |from, to| {
            let mut tx = bank.store.begin().await.unwrap();
            let at = |position| Cursor { position, incarnation: bank.store.incarnation(), event: None };
            assert!(tx.advance_cursor("relay", "bank", 0, at(from), at(to)).await.unwrap());
            tx.commit().await.unwrap();
        };
        pass(0, 1).await;
        assert_eq!(oldest().await, Some(at(20)));
        pass(1, 2).await;
        assert_eq!(oldest().await, None);
    }
}
