use contracts::tradewind::shipping::v1::Shipment as Resource;
use tradewind_domain::{Aggregate, Error, EventSet, OrderId};
use tradewind_events::{Store, StreamName};

use super::resource::resource;
use crate::domain::{Shipment, ShipmentError, ShipmentEvent};

/// The shipment of an order, as it stands.
///
/// # Errors
/// `NotFound` with reason `SHIPMENT_NOT_FOUND` when none was ever asked for.
pub async fn get_shipment(store: &Store, order_id: OrderId) -> Result<Resource, Error> {
    let events = store.history(&StreamName::of::<Shipment>(&order_id.to_string())).await?;
    let updated = events.last().ok_or(ShipmentError::NotFound)?.time;
    let mut shipment = Shipment::default();
    for event in &events {
        shipment.evolve(&ShipmentEvent::decode(&event.type_name, &event.payload).map_err(Error::internal)?);
    }
    Ok(resource(shipment, updated))
}
