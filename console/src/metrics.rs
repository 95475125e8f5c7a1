//! What is measured of who comes in. Metrics watch; nothing decides by them.

use std::sync::LazyLock;

use opentelemetry::metrics::{Counter, Gauge};
use opentelemetry::{KeyValue, global};

static SIGN_INS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_console_sign_ins")
        .with_description("Whoever has tried to sign in, by what came of it")
        .build()
});

static CERTIFICATE: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .i64_gauge("tradewind_console_certificate_not_after_timestamp")
        .with_unit("s")
        .with_description("When the certificate ends that browsers are shown; absent where there is none")
        .build()
});

/// A certificate is shown from now on that is good until then, in seconds of Unix time.
pub(crate) fn certificate(not_after: i64) {
    CERTIFICATE.record(not_after, &[]);
}

/// Somebody has tried to sign in.
pub(crate) fn signed_in(outcome: &'static str) {
    SIGN_INS.add(1, &[KeyValue::new("outcome", outcome)]);
}

/// Tells from now on how many sessions are open.
pub(crate) fn watch_sessions(count: impl Fn() -> usize + Send + Sync + 'static) {
    global::meter("tradewind")
        .u64_observable_gauge("tradewind_console_sessions")
        .with_description("Sessions that are open")
        .with_callback(move |sessions| sessions.observe(u64::try_from(count()).unwrap_or(u64::MAX), &[]))
        .build();
}
