use contracts::tradewind::shipping::v1::Shipment as Resource;
use tradewind_domain::{Error, OrderId};
use tradewind_store::{Store, Tx};

use super::{get_shipment, intents::execute};
use crate::domain::Command;

/// Records that the parcel has arrived, and returns the shipment after it. Repeating it changes nothing.
///
/// # Errors
/// `NotFound` with reason `SHIPMENT_NOT_FOUND`; `Rejected` with reason `NOT_DISPATCHED`.
pub async fn deliver_shipment(store: &Store, order_id: OrderId) -> Result<Resource, Error> {
    store.transact(async |tx: &mut Tx| execute(tx, &order_id.to_string(), Command::Deliver).await).await?;
    get_shipment(store, order_id).await
}
