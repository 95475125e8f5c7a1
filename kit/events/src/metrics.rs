//! The instruments of this crate, made once on first use; exporters append `_total` to counters.

use std::sync::LazyLock;

use opentelemetry::global;
use opentelemetry::metrics::{Counter, Gauge, Histogram, UpDownCounter};

/// Every instrument of this crate, on the meter `tradewind`.
/// How long after they were recorded events are handled.
pub(crate) const READER_DELAY: &str = "tradewind_reader_delay";

pub(crate) struct Metrics {
    pub(crate) requests_pruned: Counter<u64>,
    pub(crate) relay_published: Counter<u64>,
    pub(crate) relay_frames: Counter<u64>,
    pub(crate) relay_failures: Counter<u64>,
    pub(crate) relay_lag: Gauge<u64>,
    pub(crate) relay_age: Gauge<f64>,
    pub(crate) public_published: Counter<u64>,
    pub(crate) public_lag: Gauge<u64>,
    pub(crate) broker_purges: Counter<u64>,
    pub(crate) erasure_age: Gauge<f64>,
    pub(crate) reader_partitions: UpDownCounter<i64>,
    pub(crate) reader_hand_overs: Counter<u64>,
    pub(crate) reader_age: Gauge<f64>,
    pub(crate) reader_delay: Histogram<f64>,
    pub(crate) reader_lag: Gauge<u64>,
    pub(crate) reader_handled: Counter<u64>,
    pub(crate) reader_retries: Counter<u64>,
    pub(crate) reader_gap_fills: Counter<u64>,
    pub(crate) reader_malformed: Counter<u64>,
    pub(crate) reader_parkings: Counter<u64>,
    pub(crate) reader_stopped: Gauge<u64>,
    pub(crate) reader_stuck: Gauge<u64>,
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
    let age = |name: &'static str, description: &'static str| {
        meter.f64_gauge(name).with_unit("s").with_description(description).build()
    };
    Metrics {
        requests_pruned: counter("tradewind_requests_pruned", "Stored responses deleted because of their age"),
        relay_published: counter("tradewind_relay_published", "Events of the own log acknowledged by the broker"),
        relay_frames: counter("tradewind_relay_frames", "Messages that carried those events"),
        relay_failures: counter("tradewind_relay_failures", "Times the relay went back to its last acknowledged event"),
        relay_lag: gauge("tradewind_relay_lag", "Events of the own log not yet acknowledged by the broker"),
        relay_age: age("tradewind_relay_age", "How old the oldest event is that the broker has not acknowledged"),
        public_published: counter("tradewind_public_published", "Events published for readers outside"),
        public_lag: gauge("tradewind_public_lag", "Events of the own log not yet published for readers outside"),
        broker_purges: counter("tradewind_broker_purges", "Times the own stream was purged after an erasure"),
        erasure_age: age("tradewind_erasure_age", "How long ago the erasure was of which the broker is not rid yet"),
        reader_partitions: meter
            .i64_up_down_counter("tradewind_reader_partitions")
            .with_description("Partitions that this process reads")
            .build(),
        reader_hand_overs: counter("tradewind_reader_hand_overs", "Partitions taken over from another process"),
        reader_age: age("tradewind_reader_age", "How old the oldest event is that is known and not handled"),
        reader_delay: meter
            .f64_histogram(READER_DELAY)
            .with_unit("s")
            .with_description("Time from an event's recording to its committed effect")
            .build(),
        reader_lag: gauge("tradewind_reader_lag", "Events between a reader's cursor and the head of its source"),
        reader_handled: counter("tradewind_reader_handled", "Events handled and committed"),
        reader_retries: counter("tradewind_reader_retries", "Batches run again after a transient error"),
        reader_gap_fills: counter("tradewind_reader_gap_fills", "Events fetched from their owner, not the broker"),
        reader_malformed: counter(
            "tradewind_reader_malformed",
            "Messages dropped because they hold no events of the log",
        ),
        reader_parkings: counter(
            "tradewind_reader_parkings",
            "Events that could not be handled, whose stream was parked",
        ),
        reader_stopped: gauge("tradewind_reader_stopped", "1 where a reader stopped because its source's log changed"),
        reader_stuck: gauge("tradewind_reader_stuck", "1 where a reader cannot get past its position"),
    }
}
