use contracts::tradewind::payment::v1::Payment as Resource;
use tradewind_domain::{Aggregate, Error, EventSet, OrderId};
use tradewind_events::{Store, StreamName, timestamp};

use crate::domain::{Payment, PaymentEvent};

/// The payment of an order, as it stands.
///
/// # Errors
/// `NotFound` when none was ever asked for.
pub async fn get_payment(store: &Store, order_id: OrderId) -> Result<Resource, Error> {
    let events = store.history(&StreamName::of::<Payment>(&order_id.to_string())).await?;
    let Some(last) = events.last() else {
        return Err(Error::not_found("order_id", "PAYMENT_NOT_FOUND", "no payment was ever asked for"));
    };
    let mut payment = Payment::default();
    for event in &events {
        payment.evolve(&PaymentEvent::decode(&event.type_name, &event.payload).map_err(Error::internal)?);
    }
    Ok(Resource {
        order_id: payment.order_id,
        status: payment.status.into(),
        amount: payment.amount,
        decline_reason: payment.decline_reason,
        charge_id: payment.charge_id,
        refund_id: payment.refund_id,
        update_time: Some(timestamp(last.time)),
    })
}
