//! What a reader could not handle, put into quarantine with its cursor; how it gets out again must not be here.

use std::collections::HashSet;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter, QuerySelect};
use tradewind_domain::Error;
use tradewind_sql::{Id, brief, db, micros, signed};
use tradewind_store::{Metadata, Recorded, Store, StreamName, Topic, Tx};

use crate::parked::{Column, Entity, Model, Payload, of};

/// Something was parked, or is no longer.
pub static QUARANTINE: Topic = Topic::all("quarantine");

#[derive(FromQueryResult)]
struct Parked {
    stream: String,
}

/// The streams whose later events queue behind one that could not be handled.
pub(crate) async fn parked_streams(store: &Store, consumer: &str, source: &str) -> Result<HashSet<StreamName>, Error> {
    let streams = Entity::find().select_only().column(Column::Stream).distinct().filter(of(consumer, source));
    let found = store.find::<Parked>(streams).await?;
    Ok(found.into_iter().map(|parked| StreamName::from(parked.stream)).collect())
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
    let Metadata { correlation, causation, traceparent, partition_key } = event.metadata.clone();
    let payload = Payload(tx.seal_event(event).await?);
    let row = Model {
        consumer: consumer.to_owned(),
        source: source.to_owned(),
        stream: event.stream.to_string(),
        position: signed(event.position),
        partition: event.partition.into(),
        version: signed(event.version),
        event_id: Id(event.id),
        type_name: event.type_name.clone(),
        payload,
        time: micros(event.time),
        partition_key,
        correlation,
        causation,
        traceparent,
        reason: reason.to_owned(),
        error: brief(error).to_owned(),
        attempts: attempts.into(),
        parked_at: micros(tx.now()),
    };
    let mut once = OnConflict::columns([Column::Consumer, Column::Source, Column::Stream, Column::Position]);
    let insert = Entity::insert(row.into_active_model()).on_conflict(once.do_nothing().to_owned());
    insert.exec_without_returning(tx.conn()).await.map_err(db)?;
    tx.wakes(&QUARANTINE);
    Ok(())
}

/// Tells whether events of a stream are in quarantine for a consumer, as this transaction sees it.
pub(super) async fn is_parked(tx: &Tx, consumer: &str, source: &str, stream: &StreamName) -> Result<bool, Error> {
    let positions = Entity::find().select_only().column(Column::Position);
    let parked = positions.filter(of(consumer, source)).filter(Column::Stream.eq(stream.as_str()));
    parked.into_tuple::<i64>().one(tx.conn()).await.map(|one| one.is_some()).map_err(db)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
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
