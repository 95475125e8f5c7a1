//! The ledger, kept from this context's own events: the one place where an event becomes entries.

use std::time::Duration;

use contracts::tradewind::payment::v1::{PaymentCaptured, PaymentRefundRequested, PaymentRefunded};
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_projections::{Projection, Slot, Writer, read, seen};
use tradewind_sql::micros;
use tradewind_store::{Committed, Store};

use crate::domain::{PaymentEvent, transfers};
use crate::store::{self, ledger_entry};

const LEDGER: &str = "payment.ledger";
/// How long the entries are waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where the entries are read.
///
/// # Errors
/// When the database fails.
pub(super) async fn slot(store: &Store) -> Result<Slot, Error> {
    read(store, LEDGER).await
}

/// The same once they say everything that has happened until now: what is compared with somebody else's word must not be behind.
///
/// # Errors
/// `Unavailable` with reason `POSITION_NOT_REACHED` when they do not within a few seconds.
pub(super) async fn slot_of_now(store: &Store) -> Result<Slot, Error> {
    let now = store.token(&Committed::default()).await?;
    // A log without an event has no place to wait for.
    let now: Vec<_> = (!now.is_empty()).then_some(now).into_iter().collect();
    seen(store, LEDGER, &now, PATIENCE).await
}

/// The entries of every event that moves money.
#[must_use]
pub fn ledger() -> Projection {
    Projection::new(LEDGER, 1)
        .table::<ledger_entry::Entity>()
        .on("book_on_payment_captured", book::<PaymentCaptured>)
        .on("book_on_payment_refund_requested", book::<PaymentRefundRequested>)
        .on("book_on_payment_refunded", book::<PaymentRefunded>)
}

fn book<E: Into<PaymentEvent> + Clone>(writer: &mut Writer<'_>, event: &Received<E>) -> Result<(), Error> {
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
        store::put_entry(writer, entry);
    }
    Ok(())
}
