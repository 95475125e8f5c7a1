//! Removing from the broker what is about somebody who was erased.
//!
//! Events lie there as their readers need them, many in a message, so the whole stream goes: it is a fast path, and readers fetch
//! from the owner's log what they have not read yet, where what was erased is no more than what everybody may know. Streams for whoever
//! is outside never held more.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, wire};
use tradewind_domain::Error;
use tradewind_sql::jitter;
use tradewind_store::Store;

use crate::metrics::metrics;

const EVERY: Duration = Duration::from_secs(5);
const WITHIN: Duration = Duration::from_secs(30);

/// Purges the own stream after erasures, until `stop`.
///
/// # Errors
/// None at present.
pub(crate) async fn purge(store: Store, broker: Broker, stop: CancellationToken) -> Result<(), Error> {
    while !stop.is_cancelled() {
        if let Some(Err(error)) = stop.run_until_cancelled(purge_once(&store, &broker)).await {
            tracing::warn!(
                %error, runbook = "docs/runbook.md#the-broker-keeps-what-was-erased",
                "what is about somebody who was erased is still at the broker; it is tried again"
            );
        }
        stop.run_until_cancelled(tokio::time::sleep(EVERY / 2 + jitter(EVERY / 2))).await;
    }
    Ok(())
}

async fn purge_once(store: &Store, broker: &Broker) -> Result<(), Error> {
    let Some(erasure) = store.unpurged().await? else {
        metrics().erasure_age.record(0.0, &[]);
        return Ok(());
    };
    let age = store.now() - erasure.time;
    metrics().erasure_age.record(age.as_seconds_f64().max(0.0), &[]);
    if age < erasure.settles {
        return Ok(());
    }
    let failed = |text: String| Error::unavailable("PURGE_FAILED", text);
    broker.ready()?;
    let stream = broker.jetstream().get_stream_no_info(wire::stream_name(store.context())).await;
    let stream: async_nats::jetstream::stream::Stream<()> = stream.map_err(|error| failed(error.to_string()))?;
    let purged = tokio::time::timeout(WITHIN, stream.purge()).await;
    let purged = purged.map_err(|_| failed("the broker does not answer".to_owned()))?;
    let messages = purged.map_err(|error| failed(error.to_string()))?.purged;
    store.purged(&erasure).await?;
    metrics().broker_purges.add(1, &[]);
    tracing::info!(messages, "the stream is purged after an erasure; readers fetch from the log what they lack");
    Ok(())
}
