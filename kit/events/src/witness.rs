//! The broker as a witness of the own log: it may hold an event that the database has lost.
//!
//! It is asked at the start, whenever the database or the broker was away, and when a reader disputes the log. Where it cannot
//! say, readers still can: each compares what it has read last. Nothing here decides what is true; an operator does.

use std::time::Duration;

use async_nats::jetstream::stream::Stream;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, wire};
use tradewind_domain::Error;
use tradewind_sql::damages;
use tradewind_store::{Store, changed};

/// How often the database is asked whether its log went back, as another replica has found or an operator has accepted.
const LOOK: Duration = Duration::from_secs(5);
/// The same while nothing may be appended.
const LOOK_SOON: Duration = Duration::from_secs(1);
const WITHIN: Duration = Duration::from_secs(5);

/// Holds the own log against what was seen of it, until `stop`.
///
/// # Errors
/// None at present.
pub async fn witness(store: Store, broker: Broker, stop: CancellationToken) -> Result<(), Error> {
    let (mut epoch, mut link, mut log) = (store.epoch(), broker.link(), store.log_state());
    let mut disputes = store.disputed();
    let (mut asked, mut damages) = (None, damages());
    while !stop.is_cancelled() {
        let now = (*epoch.borrow_and_update(), link.borrow_and_update().epoch, *disputes.borrow_and_update());
        log.mark_unchanged();
        let looked = async {
            damages = store.look_for_damage(damages).await?;
            store.look().await?;
            store.may_grow().await?;
            if broker.is_connected() && asked != Some(now) {
                ask(&store, &broker).await?;
                asked = Some(now);
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = looked.await {
            tracing::debug!(%error, "the own log could not be held against what was seen of it");
        }
        let pause = if store.intact().is_ok() { LOOK } else { LOOK_SOON };
        stop.run_until_cancelled(async {
            tokio::select! {
                () = changed(&mut epoch) => {}
                () = changed(&mut link) => {}
                () = changed(&mut log) => {}
                () = changed(&mut disputes) => {}
                () = tokio::time::sleep(pause) => {}
            }
        })
        .await;
    }
    Ok(())
}

/// Looks for the last event of each partition that the broker holds.
async fn ask(store: &Store, broker: &Broker) -> Result<(), Error> {
    let stream = broker.jetstream().get_stream_no_info(wire::stream_name(store.context())).await;
    let stream: Stream<()> = stream.map_err(|error| Error::unavailable("STREAM_UNAVAILABLE", error.to_string()))?;
    for partition in 0..store.partitions() {
        let subject = wire::partition_subjects(store.context(), partition);
        let Ok(Ok(last)) = tokio::time::timeout(WITHIN, stream.get_last_raw_message_by_subject(&subject)).await else {
            // Nothing was published of it, or it is not there any more.
            continue;
        };
        let frame = wire::read(store.context(), partition, Some(&last.headers), &last.payload, |_| false);
        if let Some((frame, id)) = frame.ok().and_then(|frame| frame.last_id().map(|id| (frame, id))) {
            store.hear_broker(frame.incarnation, partition, (frame.last(), id)).await?;
        }
    }
    Ok(())
}
