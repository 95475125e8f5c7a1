//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use super::{ChargeView, RefundView, receipt};
use crate::app::ChargeAnswer;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("card-answers", card_answers)];

fn card_answers(bytes: &[u8]) {
    if let Ok(RefundView::Refunded { refund_id, amount_minor, currency }) = serde_json::from_slice(bytes) {
        let _ = receipt(&refund_id, amount_minor, &currency);
    }
    let Ok(charge) = serde_json::from_slice::<ChargeView>(bytes) else { return };
    if let Ok(ChargeAnswer::Captured(receipt)) = charge.read() {
        assert!(receipt.amount.currency.len() == 3, "{receipt:?}");
    }
}

#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
