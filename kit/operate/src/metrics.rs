//! The instruments of this crate, made once on first use; exporters append `_total` to counters.

use std::sync::LazyLock;

use opentelemetry::global;
use opentelemetry::metrics::Gauge;

/// Every instrument of this crate, on the meter `tradewind`.
pub(crate) struct Metrics {
    pub(crate) reader_parked: Gauge<u64>,
    pub(crate) reader_parked_events: Gauge<u64>,
    pub(crate) reader_paused: Gauge<u64>,
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
        reader_parked: gauge("tradewind_reader_parked", "Streams in quarantine"),
        reader_parked_events: gauge(
            "tradewind_reader_parked_events",
            "Events in quarantine, those that queue included",
        ),
        reader_paused: gauge("tradewind_reader_paused", "1 while an operator has a consumer rest"),
    }
}
