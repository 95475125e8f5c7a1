//! Who was turned away, and by which layer: a line of the log at the target `audit` each, as long as they are few. A flood of
//! refusals doesn't flood the log; the next line says how many went without one.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use tokio::time::Instant;
use tonic::Status;
use tonic_types::StatusExt;

use crate::Serving;

/// Lines at once.
const BURST: u32 = 20;
/// One more after each of these.
const PAUSE: Duration = Duration::from_millis(200);

/// The log of refusals of one server.
pub(super) struct Audit {
    refused: Mutex<Rate>,
    /// Of those that are served all the same, so that they don't take the lines of the others.
    shadow: Mutex<Rate>,
}

impl Audit {
    pub(super) fn new(now: Instant) -> Self {
        let rate = || Mutex::new(Rate { spent: now, suppressed: 0 });
        Self { refused: rate(), shadow: rate() }
    }

    /// Writes down that the call which is served in this context was turned away, if that is what `refused` says.
    pub(super) fn tell(&self, refused: &Status) {
        write(&self.refused, refused, "call refused");
    }

    /// Writes down that it would be turned away by a policy that is not in shadow.
    pub(super) fn tell_of_shadow(&self, refused: &Status) {
        write(&self.shadow, refused, "call would be refused");
    }
}

fn write(rate: &Mutex<Rate>, refused: &Status, what: &str) {
    let Some(info) = refused.get_details_error_info() else { return };
    let Some(layer) = info.metadata.get("layer") else { return };
    let taken = rate.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
    let Some(suppressed) = taken else { return };
    let (reason, limit) = (info.reason.as_str(), info.metadata.get("limit").map(String::as_str));
    let code = crate::code_name(refused.code());
    Context::map_current(|context| {
        let call = context.get::<Serving>();
        let (caller, address) = call.map(|call| (call.caller.id.to_string(), call.caller.address.to_string())).unzip();
        let method = call.map(|call| call.method);
        let user = call.and_then(|call| call.user());
        tracing::warn!(target: "audit", caller, address, user, method, code, reason, layer, limit, suppressed, "{what}");
    });
}

/// A bucket of lines.
struct Rate {
    /// When as many lines are earned again as there may be at once, less [`BURST`] pauses.
    spent: Instant,
    suppressed: u64,
}

impl Rate {
    /// Whether one more may be written now, and how many were not since the last.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let next = self.spent.max(now) + PAUSE;
        if next > now + PAUSE * BURST {
            self.suppressed += 1;
            return None;
        }
        self.spent = next;
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_leaves_few_lines_that_say_how_many_there_were() {
        let start = Instant::now();
        let mut rate = Rate { spent: start, suppressed: 0 };
        let told = (0..1_000).filter(|_| rate.take(start).is_some()).count();
        assert_eq!(told, 20);
        assert_eq!(rate.take(start + PAUSE), Some(980));
        assert_eq!(rate.take(start + PAUSE), None);
        assert_eq!(rate.take(start + PAUSE * 2), Some(1));
        let told = (0..1_000).filter(|_| rate.take(start + PAUSE * 1_000).is_some()).count();
        assert_eq!(told, 20, "a quiet time earns no more than that");
    }
}
