//! What is measured of our own credentials.

use std::sync::LazyLock;

use opentelemetry::metrics::{Counter, Gauge, Meter};
use opentelemetry::{KeyValue, global};

use crate::reason::Check;

static RELOADS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    let what = "Changes of the credentials on disk, by outcome";
    meter().u64_counter("tradewind_identity_reloads").with_description(what).build()
});
static REFUSED: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    let what = "1 while the credentials on disk cannot be used, by the check that they failed";
    meter().u64_gauge("tradewind_identity_refused").with_description(what).build()
});
static EXPIRY: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    let what = "When the certificate in use expires, in seconds since 1970";
    meter().i64_gauge("tradewind_identity_not_after_timestamp").with_unit("s").with_description(what).build()
});

fn meter() -> Meter {
    global::meter("tradewind")
}

pub(crate) fn identity_reloads() -> &'static Counter<u64> {
    &RELOADS
}

/// Tells which check the credentials on disk fail; none when they are in use.
pub(crate) fn identity_refused(failed: Option<Check>) {
    for check in Check::ALL {
        REFUSED.record(u64::from(failed == Some(check)), &[KeyValue::new("check", check.label())]);
    }
}

pub(crate) fn identity_expiry() -> &'static Gauge<i64> {
    &EXPIRY
}
