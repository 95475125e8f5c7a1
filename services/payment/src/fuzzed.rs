//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use crate::app::owed;
use crate::domain::{Difference, Payment};
use crate::grpc::fuzzed::payment_requests;
use crate::provider::fuzzed::{card_answers, card_statements};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[
    ("payment-requests", payment_requests),
    ("stored-payments", stored_payments),
    ("card-answers", card_answers),
    ("card-statements", card_statements),
];

/// What is kept of a call to the card provider: after a 255, how it is named, and on the next line the rest. Otherwise the events of a
/// payment, and those of a difference.
fn stored_payments(bytes: &[u8]) {
    if let Some((255, intent)) = bytes.split_first() {
        let end = intent.iter().position(|byte| *byte == b'\n').unwrap_or(intent.len());
        let _ = str::from_utf8(&intent[..end]).map(|name| owed(name, intent.get(end + 1..).unwrap_or_default()));
        return;
    }
    history::evolved::<Payment>(bytes);
    history::evolved::<Difference>(bytes);
}

#[path = "../../../fuzz/history.rs"]
mod history;
#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
