//! What is counted of webhooks. Metrics watch; nothing decides by them.

use std::sync::LazyLock;

use opentelemetry::metrics::{Counter, Gauge};
use opentelemetry::{KeyValue, global};

static REQUESTS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_webhook_requests")
        .with_description(
            "What came of webhooks: the event was taken, is sent again, or is given up, by a request or for its age",
        )
        .build()
});
static DISABLED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_webhook_endpoints_disabled")
        .with_description("Webhook endpoints that are told nothing more because they take nothing, by why")
        .build()
});
static ENDPOINTS: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_gauge("tradewind_webhook_endpoints")
        .with_description(
            "Webhook endpoints that take what they are told, that take nothing at present, that are told nothing",
        )
        .build()
});
static CIRCUITS: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_gauge("tradewind_webhook_circuits_open")
        .with_description("Webhook endpoints that are only probed, by this process")
        .build()
});
static WAITING: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_gauge("tradewind_webhook_waiting")
        .with_description("Events that webhook endpoints are to be told of")
        .build()
});
static OLDEST: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_gauge("tradewind_webhook_oldest_waiting")
        .with_unit("s")
        .with_description("How long the event waits that some enabled webhook endpoint has waited for longest")
        .build()
});

/// Makes what is counted visible before there is any.
pub(crate) fn begin() {
    for result in ["taken", "again", "given_up"] {
        REQUESTS.add(0, &[KeyValue::new("result", result)]);
    }
    for reason in ["GONE", "FAILING", "BACKLOG_FULL"] {
        DISABLED.add(0, &[KeyValue::new("reason", reason)]);
    }
}

/// A request was made: `taken`, `again`, `given_up`.
pub(crate) fn requested(result: &'static str) {
    REQUESTS.add(1, &[KeyValue::new("result", result)]);
}

/// So many events were given up that nobody was asked to take for too long.
pub(crate) fn expired(count: u64) {
    REQUESTS.add(count, &[KeyValue::new("result", "given_up")]);
}

/// An endpoint was disabled.
pub(crate) fn disabled(reason: &'static str) {
    DISABLED.add(1, &[KeyValue::new("reason", reason)]);
}

/// So many endpoints are `told`, `failing`, `disabled`.
pub(crate) fn endpoints(state: &'static str, count: usize) {
    ENDPOINTS.record(u64::try_from(count).unwrap_or_default(), &[KeyValue::new("state", state)]);
}

/// So many circuits are open.
pub(crate) fn circuits(open: u64) {
    CIRCUITS.record(open, &[]);
}

/// So much waits, and the oldest so long.
pub(crate) fn waiting(count: u64, oldest_seconds: u64) {
    WAITING.record(count, &[]);
    OLDEST.record(oldest_seconds, &[]);
}

/// Another process tells how many endpoints there are, and what waits.
pub(crate) fn none() {
    for state in ["told", "failing", "disabled"] {
        endpoints(state, 0);
    }
    waiting(0, 0);
}
