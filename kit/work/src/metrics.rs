//! The instruments of this crate, made once on first use; exporters append `_total` to counters.

use std::sync::LazyLock;

use opentelemetry::global;
use opentelemetry::metrics::{Counter, Gauge};

/// Every instrument of this crate, on the meter `tradewind`.
pub(crate) struct Metrics {
    pub(crate) intents_open: Gauge<u64>,
    pub(crate) intent_attempts: Counter<u64>,
    pub(crate) intent_settle_failures: Counter<u64>,
    pub(crate) timers_fired: Counter<u64>,
    pub(crate) timer_failures: Counter<u64>,
}

/// The instruments.
pub(crate) fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(make);
    &METRICS
}

fn make() -> Metrics {
    let meter = global::meter("tradewind");
    let counter =
        |name: &'static str, description: &'static str| meter.u64_counter(name).with_description(description).build();
    Metrics {
        intents_open: meter
            .u64_gauge("tradewind_intents_open")
            .with_description("Calls to the outside still owed")
            .build(),
        intent_attempts: counter("tradewind_intent_attempts", "Calls to the outside"),
        intent_settle_failures: counter("tradewind_intent_settle_failures", "Outcomes that could not be recorded"),
        timers_fired: counter("tradewind_timers_fired", "Deadlines that fired"),
        timer_failures: counter("tradewind_timer_failures", "Deadlines whose handler failed"),
    }
}
