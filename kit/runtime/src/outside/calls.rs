//! How a party answers, as metrics.

use std::{sync::OnceLock, time::Duration};

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram},
};

/// Counts and times the calls to one party, by what they were for and what came of them.
pub struct Calls {
    prefix: &'static str,
    party: &'static str,
    measures: OnceLock<Measures>,
}

struct Measures {
    requests: Counter<u64>,
    duration: Histogram<f64>,
}

impl Calls {
    /// Counts as `<prefix>_requests` and `<prefix>_request_duration`; `party` is what it is called in their descriptions.
    #[must_use]
    pub const fn new(prefix: &'static str, party: &'static str) -> Self {
        Self { prefix, party, measures: OnceLock::new() }
    }

    /// Counts one call.
    pub fn count(&self, action: &'static str, result: &'static str, took: Duration) {
        let Measures { requests, duration } = self.measures.get_or_init(|| self.measures());
        let attributes = [KeyValue::new("action", action), KeyValue::new("result", result)];
        requests.add(1, &attributes);
        duration.record(took.as_secs_f64(), &attributes);
    }

    fn measures(&self) -> Measures {
        let (meter, Self { prefix, party, .. }) = (global::meter("tradewind"), self);
        Measures {
            requests: meter
                .u64_counter(format!("{prefix}_requests"))
                .with_description(format!("Calls to {party} by what they were for and what came of them"))
                .build(),
            duration: meter
                .f64_histogram(format!("{prefix}_request_duration"))
                .with_unit("s")
                .with_description(format!("Time {party} took, also where it gave no answer"))
                .build(),
        }
    }
}
