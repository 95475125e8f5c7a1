use std::marker::PhantomData;

use contracts::tradewind::shipping::v1::{
    ShipmentBooked, ShipmentCancellationRefused, ShipmentCancellationRequested, ShipmentCancelled, ShipmentCleared,
    ShipmentDelivered, ShipmentDispatched, ShipmentRejected, ShipmentRequested,
};
use prost::{Message, Name};
use tradewind_domain::Error;
use tradewind_events::{Reaction, Reactions, Received, StreamName, Tx};

use super::resource::resource;
use crate::domain::Shipment;
use crate::store;

/// The list of shipments, kept from their own events.
#[must_use]
pub fn shipment_list() -> Reactions {
    Reactions::new("shipping.shipments")
        .on(Keep::<ShipmentRequested>::new())
        .on(Keep::<ShipmentBooked>::new())
        .on(Keep::<ShipmentRejected>::new())
        .on(Keep::<ShipmentCleared>::new())
        .on(Keep::<ShipmentCancellationRequested>::new())
        .on(Keep::<ShipmentCancelled>::new())
        .on(Keep::<ShipmentCancellationRefused>::new())
        .on(Keep::<ShipmentDispatched>::new())
        .on(Keep::<ShipmentDelivered>::new())
}

/// Writes the shipment as it is by now, which may be further than the event; an entry never goes back.
struct Keep<E>(PhantomData<fn() -> E>);

impl<E> Keep<E> {
    const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E: Message + Name + Default + 'static> Reaction for Keep<E> {
    type Event = E;
    const NAME: &'static str = "keep_shipment_list";

    async fn give_up(&self, _: &mut Tx, _: &StreamName) -> Result<(), Error> {
        Ok(())
    }

    async fn react(&self, tx: &mut Tx, event: &Received<E>) -> Result<(), Error> {
        let shipment = tx.load_since::<Shipment>(event.stream.id(), event.version).await?;
        // The entry claims to be no younger than this event, so that each later one brings its time.
        store::put(tx, &resource(shipment.state, event.time));
        Ok(())
    }
}
