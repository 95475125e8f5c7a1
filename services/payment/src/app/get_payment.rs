use contracts::tradewind::payment::v1::Payment as Resource;
use tradewind_domain::{Error, OrderId};
use tradewind_sql::timestamp;
use tradewind_store::Store;

use crate::domain::Payment;

/// The payment of an order, as it stands.
///
/// # Errors
/// `NotFound` when none was ever asked for.
pub async fn get_payment(store: &Store, order_id: OrderId) -> Result<Resource, Error> {
    let found = store.load::<Payment>(&order_id.to_string()).await?;
    if found.version == 0 {
        return Err(Error::not_found::<Resource>(
            order_id.to_string(),
            "PAYMENT_NOT_FOUND",
            "no payment was ever asked for",
        ));
    }
    let payment = found.state;
    Ok(Resource {
        order_id: payment.order_id,
        status: payment.status.into(),
        amount: payment.amount,
        decline_reason: payment.decline_reason,
        charge_id: payment.charge_id,
        refund_id: payment.refund_id,
        update_time: Some(timestamp(found.updated)),
        captured: payment.captured,
        mismatch: payment.mismatch,
    })
}
