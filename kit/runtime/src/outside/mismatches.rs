//! Answers that differ from what was asked for, as metrics and log lines.

use opentelemetry::{KeyValue, global, metrics::Counter};
use tradewind_store::Tx;

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

    /// An answer about this order differs in this from what was asked for, which is told once `tx` is committed.
    pub fn tell(&self, tx: &mut Tx, order_id: &str, action: &str, differs_in: &'static str) {
        let (Self { party, found }, order_id, action) = (self.clone(), order_id.to_owned(), action.to_owned());
        tx.after(move || {
            tracing::error!(
                order_id,
                party,
                action,
                differs_in,
                "the outside answers something else than it was asked for"
            );
            found.add(1, &[KeyValue::new("party", party)]);
        });
    }
}
