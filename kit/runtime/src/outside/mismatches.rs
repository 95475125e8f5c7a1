//! Answers that differ from what was asked for, as metrics and log lines.

use opentelemetry::{KeyValue, global, metrics::Counter};

/// Tells of the answers of one party that are not what was asked for: each needs a person to talk to that party.
#[derive(Clone, Debug)]
pub struct Mismatches {
    party: &'static str,
    found: Counter<u64>,
}

impl Mismatches {
    /// Tells of the answers of `party`, which is a label of the metric. It is there at once, so that the first can be seen.
    #[must_use]
    pub fn of(party: &'static str) -> Self {
        let found = global::meter("tradewind")
            .u64_counter("tradewind_outside_mismatches")
            .with_description("Answers of parties outside that differ from what they were asked for")
            .build();
        found.add(0, &[KeyValue::new("party", party)]);
        Self { party, found }
    }

    /// An answer about this order differs in this from what was asked for.
    pub fn tell(&self, order_id: &str, action: &str, differs_in: &str) {
        let party = self.party;
        tracing::error!(
            order_id,
            party,
            action,
            differs_in,
            "the outside answers something else than it was asked for"
        );
        self.found.add(1, &[KeyValue::new("party", party)]);
    }
}
