use std::marker::PhantomData;

use contracts::tradewind::payment::v1::{
    PaymentCaptured, PaymentDeclined, PaymentRefundRequested, PaymentRefunded, PaymentRequested, PaymentStatus,
    PaymentVoidRequested, PaymentVoided,
};
use prost::{Message, Name};
use tradewind_domain::Error;
use tradewind_events::{Reaction, Reactions, Received, StreamName, Tx};

use crate::domain::PaymentEvent;
use crate::store::{self, Change};

/// Keeps the table that lists of payments are read from.
#[must_use]
pub fn projection() -> Reactions {
    Reactions::new("payment.payments")
        .on(Show::<PaymentRequested>::new())
        .on(Show::<PaymentCaptured>::new())
        .on(Show::<PaymentDeclined>::new())
        .on(Show::<PaymentVoidRequested>::new())
        .on(Show::<PaymentVoided>::new())
        .on(Show::<PaymentRefundRequested>::new())
        .on(Show::<PaymentRefunded>::new())
}

struct Show<E>(PhantomData<fn() -> E>);

impl<E> Show<E> {
    const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> Reaction for Show<E>
where
    E: Message + Name + Default + Clone + Into<PaymentEvent> + 'static,
{
    type Event = E;
    const NAME: &'static str = "show_payment";

    async fn give_up(&self, _: &mut Tx, _: &StreamName) -> Result<(), Error> {
        Ok(())
    }

    async fn react(&self, tx: &mut Tx, event: &Received<E>) -> Result<(), Error> {
        store::apply(tx, change(event.data.clone().into()), event.time);
        Ok(())
    }
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
