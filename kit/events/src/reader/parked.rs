//! What a reader could not handle, put into quarantine with its cursor; how it gets out again must not be here.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, Value};
use tradewind_domain::Error;
use tradewind_sql::{brief, db, micros, signed, statement};
use tradewind_store::{Recorded, Store, StreamName, Topic, Tx};

/// Something was parked, or is no longer.
pub static QUARANTINE: Topic = Topic::all("quarantine");

/// The streams whose later events queue behind one that could not be handled.
pub(crate) async fn parked_streams(store: &Store, consumer: &str, source: &str) -> Result<HashSet<StreamName>, Error> {
    let query = "SELECT DISTINCT stream FROM parked WHERE consumer = $1 AND source = $2";
    let values: [Value; 2] = [consumer.into(), source.into()];
    let rows = store.read(statement(store.backend(), query, values)).await?;
    rows.iter().map(|row| row.try_get::<String>("", "stream").map(StreamName::from).map_err(db)).collect()
}

/// Puts an event into quarantine for a consumer; again is the same as once.
pub(crate) async fn park(
    tx: &mut Tx,
    consumer: &str,
    source: &str,
    event: &Recorded,
    reason: &str,
    error: &str,
    attempts: u32,
) -> Result<(), Error> {
    let insert = "INSERT INTO parked (consumer, source, stream, position, partition, version, event_id, type, \
         payload, time, partition_key, correlation, causation, traceparent, reason, error, attempts, parked_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
         ON CONFLICT (consumer, source, stream, position) DO NOTHING";
    let metadata = &event.metadata;
    let values: [Value; 18] = [
        consumer.into(),
        source.into(),
        event.stream.as_str().into(),
        signed(event.position).into(),
        i64::from(event.partition).into(),
        signed(event.version).into(),
        event.id.into(),
        event.type_name.as_str().into(),
        event.payload.clone().into(),
        micros(event.time).into(),
        metadata.partition_key.as_str().into(),
        metadata.correlation.as_str().into(),
        metadata.causation.as_str().into(),
        metadata.traceparent.as_str().into(),
        reason.into(),
        brief(error).into(),
        i64::from(attempts).into(),
        micros(tx.now()).into(),
    ];
    tx.conn().execute_raw(statement(tx.backend(), insert, values)).await.map_err(db)?;
    tx.wakes(&QUARANTINE);
    Ok(())
}

/// Tells whether events of a stream are in quarantine for a consumer, as this transaction sees it.
pub(super) async fn is_parked(tx: &Tx, consumer: &str, source: &str, stream: &StreamName) -> Result<bool, Error> {
    let query = "SELECT 1 AS one FROM parked WHERE consumer = $1 AND source = $2 AND stream = $3 LIMIT 1";
    let values: [Value; 3] = [consumer.into(), source.into(), stream.as_str().into()];
    let row = tx.conn().query_one_raw(statement(tx.backend(), query, values)).await.map_err(db)?;
    Ok(row.is_some())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
    use tradewind_store::Metadata;
    use tradewind_testing::{Database, Stopped};
    use uuid::Uuid;

    use super::*;

    tradewind_testing::both_stores! {
        async fn a_parked_stream_is_known(database: Database) {
            let bank = Stopped::open(&database).await;
            let event = Recorded {
                id: Uuid::new_v4(),
                stream: StreamName::from("order-1"),
                version: 2,
                partition: 0,
                position: 7,
                type_name: "tradewind.shop.v1.OrderPlaced".to_owned(),
                payload: vec![1],
                time: bank.store.now(),
                metadata: Metadata::default(),
            };
            for _ in 0..2 {
                let mut tx = bank.store.begin().await.unwrap();
                park(&mut tx, "reader", "shop", &event, "INTERNAL", "a defect", 5).await.unwrap();
                tx.commit().await.unwrap();
            }
            let parked = parked_streams(&bank.store, "reader", "shop").await.unwrap();
            assert_eq!(parked.into_iter().collect::<Vec<_>>(), [event.stream]);
            assert!(parked_streams(&bank.store, "another", "shop").await.unwrap().is_empty());
        }
    }
}
