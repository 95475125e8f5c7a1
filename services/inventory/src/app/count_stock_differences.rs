use std::time::Duration;

use opentelemetry::global;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_store::Store;

use crate::store;

/// How long a count stands.
const REST: Duration = Duration::from_secs(5);

/// Shows how many differences are open, as a metric, until `stop`.
///
/// # Errors
/// None: what cannot be counted now is counted later.
pub async fn count_stock_differences(store: Store, stop: CancellationToken) -> Result<(), Error> {
    let gauge = global::meter("tradewind")
        .u64_gauge("tradewind_stock_differences_open")
        .with_description("Levels whose counters are not what their movements come to")
        .build();
    while !stop.is_cancelled() {
        match store::open(store.reader()).await {
            Ok(open) => gauge.record(open, &[]),
            Err(error) => tracing::debug!(%error, "the differences cannot be counted"),
        }
        stop.run_until_cancelled(tokio::time::sleep(REST)).await;
    }
    Ok(())
}
