use tradewind_domain::Error;
use tradewind_events::{Reactions, Received};
use tradewind_store::Tx;

use super::resource::resource;
use crate::domain::{Shipment, ShipmentEvent};
use crate::store;

/// The list of shipments, kept from their own events.
#[must_use]
pub fn shipment_list() -> Reactions {
    Reactions::new("shipping.shipments").on_any("keep_shipment_list", keep_shipment_list)
}

/// Writes the shipment as it is by now, which may be further than the event; an entry never goes back.
async fn keep_shipment_list(tx: &mut Tx, event: &Received<ShipmentEvent>) -> Result<(), Error> {
    let shipment = tx.load_since::<Shipment>(event.stream.id(), event.version).await?;
    // The entry claims to be no younger than this event, so that each later one brings its time.
    store::put(tx, &resource(shipment.state, event.time));
    Ok(())
}
