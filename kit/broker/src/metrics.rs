//! The instruments of this crate, made once on first use; exporters append `_total` to counters.

use std::sync::LazyLock;

use opentelemetry::global;
use opentelemetry::metrics::{Counter, Gauge};

/// Every instrument of this crate, on the meter `tradewind`.
pub(crate) struct Metrics {
    pub(crate) broker_connected: Gauge<u64>,
    pub(crate) broker_refusals: Counter<u64>,
}

/// The instruments.
pub(crate) fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(make);
    &METRICS
}

fn make() -> Metrics {
    let meter = global::meter("tradewind");
    Metrics {
        broker_connected: meter
            .u64_gauge("tradewind_broker_connected")
            .with_description("1 while the broker is connected and new enough")
            .build(),
        broker_refusals: meter
            .u64_counter("tradewind_broker_refusals")
            .with_description("Times the broker refused a connection or a subject")
            .build(),
    }
}
