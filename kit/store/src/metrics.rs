//! The instruments of this crate, made once on first use.

use std::sync::LazyLock;

use opentelemetry::global;
use opentelemetry::metrics::{Counter, Gauge};

/// Every instrument of this crate, on the meter `tradewind`.
pub(crate) struct Metrics {
    pub(crate) log_went_back: Gauge<u64>,
    pub(crate) log_disputed: Gauge<u64>,
    pub(crate) log_gaps: Gauge<u64>,
    pub(crate) database_damaged: Gauge<u64>,
    pub(crate) events_passed_over: Counter<u64>,
    pub(crate) snapshots_passed_over: Counter<u64>,
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
        log_went_back: gauge(
            "tradewind_log_went_back",
            "1 while the own log lacks events that were seen in it, and nothing is appended",
        ),
        log_disputed: gauge("tradewind_log_disputed", "Readers that have read what the own log does not have"),
        log_gaps: gauge(
            "tradewind_log_gaps",
            "Events that cannot enter the log because the versions before them are not in it",
        ),
        database_damaged: gauge(
            "tradewind_database_damaged",
            "1 while the database is damaged or another file is in its place, and nothing is written",
        ),
        events_passed_over: meter
            .u64_counter("tradewind_events_passed_over")
            .with_description("Informative events of a later build that this one read without knowing them")
            .build(),
        snapshots_passed_over: meter
            .u64_counter("tradewind_snapshots_passed_over")
            .with_description(
                "Snapshots that could not be used, so that the stream was read from its beginning, by why",
            )
            .build(),
    }
}
