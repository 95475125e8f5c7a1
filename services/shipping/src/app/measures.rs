//! How the carrier answers, as metrics.

use std::sync::LazyLock;
use std::time::Duration;

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram},
};

struct Measures {
    requests: Counter<u64>,
    duration: Histogram<f64>,
}

static MEASURES: LazyLock<Measures> = LazyLock::new(|| {
    let meter = global::meter("tradewind");
    Measures {
        requests: meter
            .u64_counter("tradewind_shipping_carrier_requests")
            .with_description("Calls to the carrier by what they were for and what came of them")
            .build(),
        duration: meter
            .f64_histogram("tradewind_shipping_carrier_request_duration")
            .with_unit("s")
            .with_description("Time the carrier took, also where it gave no answer")
            .build(),
    }
});

/// Counts one call to the carrier.
pub(super) fn called(action: &'static str, result: &'static str, took: Duration) {
    let attributes = [KeyValue::new("action", action), KeyValue::new("result", result)];
    MEASURES.requests.add(1, &attributes);
    MEASURES.duration.record(took.as_secs_f64(), &attributes);
}
