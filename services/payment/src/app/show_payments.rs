use contracts::tradewind::payment::v1::PaymentStatus;
use tradewind_domain::Error;
use tradewind_events::{Reactions, Received};
use tradewind_store::Tx;

use crate::domain::PaymentEvent;
use crate::store::{self, Change};

/// Keeps the table that lists of payments are read from.
#[must_use]
pub fn projection() -> Reactions {
    Reactions::new("payment.payments").on_any("show_payment", show_payment)
}

async fn show_payment(tx: &mut Tx, event: &Received<PaymentEvent>) -> Result<(), Error> {
    store::apply(tx, change(event.data.clone()), event.time);
    Ok(())
}

/// What an event changes in the row of its payment.
fn change(event: PaymentEvent) -> Change {
    use PaymentStatus::{Captured, Declined, Pending, Refunded, Refunding, Voided, Voiding};
    let to = Change::to;
    match event {
        PaymentEvent::Requested(event) => Change { amount: event.amount, ..to(event.order_id, Pending) },
        PaymentEvent::Captured(event) => Change {
            captured: event.amount,
            charge_id: event.charge_id,
            mismatch: event.mismatch,
            ..to(event.order_id, Captured)
        },
        // Its capture follows.
        PaymentEvent::Declined(event) if event.mismatch != 0 => to(event.order_id, Pending),
        PaymentEvent::Declined(event) => Change { decline_reason: event.reason, ..to(event.order_id, Declined) },
        PaymentEvent::VoidRequested(event) => to(event.order_id, Voiding),
        PaymentEvent::Voided(event) => to(event.order_id, Voided),
        PaymentEvent::RefundRequested(event) => to(event.order_id, Refunding),
        PaymentEvent::Refunded(event) => {
            Change { refund_id: event.refund_id, mismatch: event.mismatch, ..to(event.order_id, Refunded) }
        }
    }
}
