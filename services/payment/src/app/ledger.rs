//! The ledger, kept from this context's own events: the one place where an event becomes entries.

use contracts::tradewind::payment::v1::{PaymentCaptured, PaymentRefundRequested, PaymentRefunded};
use tradewind_domain::Error;
use tradewind_events::{Projection, Received};
use tradewind_sql::micros;
use tradewind_store::Tx;

use crate::domain::{PaymentEvent, transfers};
use crate::store::{self, ledger_entry};

/// The entries of every event that moves money.
#[must_use]
pub fn ledger() -> Projection {
    Projection::new("payment.ledger")
        .on("book_on_payment_captured", book::<PaymentCaptured>)
        .on("book_on_payment_refund_requested", book::<PaymentRefundRequested>)
        .on("book_on_payment_refunded", book::<PaymentRefunded>)
}

async fn book<E: Into<PaymentEvent> + Clone>(tx: &mut Tx, event: &Received<E>) -> Result<(), Error> {
    let moving: PaymentEvent = event.data.clone().into();
    for (leg, transfer) in (1..).zip(transfers(&moving)) {
        let entry = ledger_entry::Model {
            event_id: event.id.to_string(),
            leg,
            order_id: event.stream.id().to_owned(),
            debit: store::number(transfer.debit),
            credit: store::number(transfer.credit),
            currency: transfer.amount.currency,
            minor: transfer.amount.minor,
            reference: transfer.reference,
            partition: event.partition.into(),
            position: i64::try_from(event.position).map_err(Error::internal)?,
            time: micros(event.time),
        };
        store::put_entry(tx, entry);
    }
    Ok(())
}
