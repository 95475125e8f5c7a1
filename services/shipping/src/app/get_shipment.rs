use contracts::tradewind::shipping::v1::Shipment as Resource;
use tradewind_domain::{Error, OrderId};
use tradewind_store::Store;

use super::resource::resource;
use crate::domain::{Shipment, ShipmentError};

/// The shipment of an order, as it stands.
///
/// # Errors
/// `NotFound` with reason `SHIPMENT_NOT_FOUND` when none was ever asked for.
pub async fn get_shipment(store: &Store, order_id: OrderId) -> Result<Resource, Error> {
    let found = store.load::<Shipment>(&order_id.to_string()).await?;
    if found.version == 0 {
        return Err(ShipmentError::NotFound.into());
    }
    Ok(resource(found))
}
