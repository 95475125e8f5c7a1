//! The instruments of this crate, made once on first use; exporters append `_total` to counters.

use std::sync::LazyLock;

use opentelemetry::global;
use opentelemetry::metrics::{Counter, Gauge};

/// Every instrument of this crate, on the meter `tradewind`.
pub(crate) struct Metrics {
    pub(crate) version: Gauge<u64>,
    pub(crate) building: Gauge<u64>,
    pub(crate) failing: Gauge<u64>,
    pub(crate) left: Gauge<u64>,
    pub(crate) events: Counter<u64>,
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
        version: gauge("tradewind_projection_version", "The version of a projection that is read"),
        building: gauge("tradewind_projection_building", "1 while a projection is built anew"),
        failing: gauge("tradewind_projection_failing", "1 while something keeps a projection from being built"),
        left: gauge("tradewind_projection_left", "Events that a projection which is built has not seen yet"),
        events: meter
            .u64_counter("tradewind_projection_events")
            .with_description("Events that projections were built from")
            .build(),
    }
}
