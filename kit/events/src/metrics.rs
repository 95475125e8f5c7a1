//! The instruments of this crate, made once on first use; exporters append `_total` to counters.

use std::sync::LazyLock;

use opentelemetry::global;
use opentelemetry::metrics::{Counter, Gauge};

/// Every instrument of this crate, on the meter `tradewind`.
pub(crate) struct Metrics {
    pub(crate) broker_connected: Gauge<u64>,
    pub(crate) relay_published: Counter<u64>,
    pub(crate) relay_failures: Counter<u64>,
    pub(crate) relay_lag: Gauge<u64>,
    pub(crate) reader_lag: Gauge<u64>,
    pub(crate) reader_handled: Counter<u64>,
    pub(crate) reader_retries: Counter<u64>,
    pub(crate) reader_gap_fills: Counter<u64>,
    pub(crate) reader_parked: Gauge<u64>,
    pub(crate) reader_stopped: Gauge<u64>,
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
    let gauge =
        |name: &'static str, description: &'static str| meter.u64_gauge(name).with_description(description).build();
    Metrics {
        broker_connected: gauge("tradewind_broker_connected", "1 while the broker is connected and new enough"),
        relay_published: counter("tradewind_relay_published", "Events of the own log acknowledged by the broker"),
        relay_failures: counter("tradewind_relay_failures", "Times the relay went back to its last acknowledged event"),
        relay_lag: gauge("tradewind_relay_lag", "Events of the own log not yet acknowledged by the broker"),
        reader_lag: gauge("tradewind_reader_lag", "Events between a reader's cursor and the head of its source"),
        reader_handled: counter("tradewind_reader_handled", "Events handled and committed"),
        reader_retries: counter("tradewind_reader_retries", "Batches run again after a transient error"),
        reader_gap_fills: counter("tradewind_reader_gap_fills", "Events fetched from their owner, not the broker"),
        reader_parked: gauge("tradewind_reader_parked", "Streams in quarantine"),
        reader_stopped: gauge("tradewind_reader_stopped", "1 where a reader stopped because its source's log changed"),
        intents_open: gauge("tradewind_intents_open", "Calls to the outside still owed"),
        intent_attempts: counter("tradewind_intent_attempts", "Calls to the outside"),
        intent_settle_failures: counter("tradewind_intent_settle_failures", "Outcomes that could not be recorded"),
        timers_fired: counter("tradewind_timers_fired", "Deadlines that fired"),
        timer_failures: counter("tradewind_timer_failures", "Deadlines whose handler failed"),
    }
}
