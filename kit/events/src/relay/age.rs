//! How long the oldest event has waited that is not known to be at the broker.

use tradewind_store::Store;

use super::CONSUMER;
use crate::metrics::metrics;

/// Records it, whether the broker is there or not. The cursor is saved lazily, so up to a second means nothing.
pub(crate) async fn measure(store: &Store) {
    match store.oldest_unread(CONSUMER).await {
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
