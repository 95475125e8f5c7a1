//! The instruments of this crate, made once on first use; exporters append `_total` to counters.

use std::sync::LazyLock;

use opentelemetry::global;
use opentelemetry::metrics::Gauge;

/// Every instrument of this crate, on the meter `tradewind`.
pub(crate) struct Metrics {
    pub(crate) members: Gauge<u64>,
    pub(crate) circuit_open: Gauge<u64>,
}

/// The instruments.
pub(crate) fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(make);
    &METRICS
}

fn make() -> Metrics {
    let meter = global::meter("tradewind");
    let gauge =
        |name: &'static str, description: &'static str| meter.u64_gauge(name).with_description(description).build();
    Metrics {
        members: gauge("tradewind_members", "Engines at work on the database, as this one sees it"),
        circuit_open: gauge("tradewind_circuit_open", "1 while a circuit is open and only single probes are made"),
    }
}
