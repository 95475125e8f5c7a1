//! What came of a message, and how that is told: in the log and in a metric, without anything that it says.

use std::sync::LazyLock;

use opentelemetry::{KeyValue, global, metrics::Counter};
use tradewind_domain::Reason;

static MESSAGES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_notification_messages")
        .with_description(
            "Messages to customers by what they are about and whether they were sent, given up or dropped",
        )
        .build()
});

/// What came of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The mail system has it.
    Sent,
    /// It is given up.
    Failed(Reason),
    /// Whom it was for is erased.
    Dropped,
}

impl Settled {
    /// Given up, for a reason of this service's own.
    pub(crate) fn given_up(reason: &str) -> Self {
        Self::Failed(Reason::told(reason))
    }

    /// Tells that it came of the message `about` an order or an account, of that kind, after so many attempts without an answer.
    pub(crate) fn tell(&self, about: &str, kind: &'static str, attempts: u32) {
        let result = match self {
            Self::Sent => {
                tracing::info!(order_id = about, kind, "a message is sent");
                "sent"
            }
            Self::Failed(why) => {
                tracing::error!(order_id = about, kind, reason = %why, attempts, "a message is given up");
                "failed"
            }
            Self::Dropped => {
                tracing::info!(order_id = about, kind, attempts, "a message is dropped: whom it was for is erased");
                "dropped"
            }
        };
        MESSAGES.add(1, &[KeyValue::new("kind", kind), KeyValue::new("result", result)]);
    }
}

/// Begins to count what is given up of a kind, so that the first one can be seen.
pub(crate) fn count_given_up(kind: &'static str) {
    MESSAGES.add(0, &[KeyValue::new("kind", kind), KeyValue::new("result", "failed")]);
}
