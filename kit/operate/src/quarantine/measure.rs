//! Keeps the gauges of quarantine right, whoever fills or drains it: a reader here, an operator, another replica.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_events::{QUARANTINE, Reactions};
use tradewind_store::Store;

use super::rows::amounts_parked;
use crate::metrics::metrics;

/// How often the tables are counted although nothing changed in this process.
const NET: Duration = Duration::from_secs(5);
/// How long they are not counted again, however much changes.
const REST: Duration = Duration::from_millis(200);

/// Counts what is in quarantine for these consumers whenever that changes, until `stop`. Every replica tells the same.
///
/// # Errors
/// None at present.
pub async fn measure_quarantine(
    store: Store,
    reactions: Arc<[Arc<Reactions>]>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let mut changed = store.subscribe(&QUARANTINE);
    while !stop.is_cancelled() {
        changed.mark_unchanged();
        match amounts_parked(&store).await {
            Ok(amounts) => {
                let amounts =
                    amounts.into_iter().map(|each| ((each.consumer, each.source), (each.streams, each.events)));
                record(&reactions, &amounts.collect());
            }
            Err(error) => tracing::debug!(%error, "the quarantine cannot be counted"),
        }
        let next = async {
            tokio::time::sleep(REST).await;
            // Whether anything changed or not, it is time to look.
            let _ = tokio::time::timeout(NET, changed.changed()).await;
        };
        stop.run_until_cancelled(next).await;
    }
    Ok(())
}

fn record(reactions: &[Arc<Reactions>], amounts: &HashMap<(String, String), (u64, u64)>) {
    for reactions in reactions {
        for source in reactions.sources() {
            let attributes = [KeyValue::new("consumer", reactions.consumer()), KeyValue::new("source", source.clone())];
            let (streams, events) =
                amounts.get(&(reactions.consumer().to_owned(), source)).copied().unwrap_or_default();
            metrics().reader_parked.record(streams, &attributes);
            metrics().reader_parked_events.record(events, &attributes);
        }
    }
}
