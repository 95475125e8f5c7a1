use contracts::tradewind::shipping::v1::Shipment as Resource;
use tradewind_domain::{Error, OrderId};
use tradewind_store::{Store, Tx};

use super::{get_shipment, intents::execute};
use crate::domain::Command;

/// Lets the parcel leave, and returns the shipment after it. The decision is this one transaction; the carrier is told
/// afterwards. Repeating it changes nothing.
///
/// # Errors
/// `NotFound` with reason `SHIPMENT_NOT_FOUND`; `Rejected` with reason `NOT_CLEARED`, `BEING_CANCELLED`,
/// `ALREADY_CANCELLED` or `ALREADY_REJECTED`.
pub async fn dispatch_shipment(store: &Store, order_id: OrderId) -> Result<Resource, Error> {
    store.transact(async |tx: &mut Tx| execute(tx, &order_id.to_string(), Command::Dispatch).await).await?;
    get_shipment(store, order_id).await
}
