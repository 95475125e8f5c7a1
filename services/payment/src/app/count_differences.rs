use std::time::Duration;

use contracts::tradewind::payment::v1::DifferenceKind;
use opentelemetry::{KeyValue, global};
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_store::Store;

use crate::store;

/// How long a count stands.
const REST: Duration = Duration::from_secs(5);

/// Every kind as the metric has it.
const KINDS: [(DifferenceKind, &str); 5] = [
    (DifferenceKind::MissingHere, "missing_here"),
    (DifferenceKind::MissingThere, "missing_there"),
    (DifferenceKind::AmountDiffers, "amount_differs"),
    (DifferenceKind::CurrencyDiffers, "currency_differs"),
    (DifferenceKind::Late, "late"),
];

/// Shows how many differences of each kind are open, as a metric, until `stop`.
///
/// # Errors
/// None: what cannot be counted now is counted later.
pub async fn count_differences(store: Store, stop: CancellationToken) -> Result<(), Error> {
    let gauge = global::meter("tradewind")
        .u64_gauge("tradewind_ledger_differences_open")
        .with_description("What the ledger and the provider's statement do not agree on")
        .build();
    while !stop.is_cancelled() {
        match store::open_by_kind(store.reader()).await {
            Ok(open) => {
                for (kind, name) in KINDS {
                    let open = open.get(&i64::from(i32::from(kind))).copied().unwrap_or_default();
                    gauge.record(u64::try_from(open).unwrap_or_default(), &[KeyValue::new("kind", name)]);
                }
            }
            Err(error) => tracing::debug!(%error, "the differences cannot be counted"),
        }
        stop.run_until_cancelled(tokio::time::sleep(REST)).await;
    }
    Ok(())
}
