//! What the order, and its price list, make of other contexts' events. The names are the contract's.

mod catalog;

use std::marker::PhantomData;

use contracts::tradewind::{
    inventory::v1::{StockRejected, StockReleased, StockReserved},
    payment::v1::{PaymentCaptured, PaymentDeclined, PaymentRefunded, PaymentVoided},
    shipping::v1::{
        ShipmentBooked, ShipmentCancellationRefused, ShipmentCancelled, ShipmentDelivered, ShipmentDispatched,
        ShipmentRejected,
    },
};
use tradewind_domain::Error;
use tradewind_events::{Reaction, Reactions, Received, StreamName, Tx, must_be_replayed};

use super::CONSUMER;
use crate::domain::{Order, Reply};

/// Every reaction of this context.
#[must_use]
pub fn reactions() -> Reactions {
    Reactions::new(CONSUMER)
        .on(catalog::PriceOnProductListed)
        .on(catalog::PriceOnProductRepriced)
        .on(catalog::WithdrawOnProductRetired)
        .on(Hear::<StockReserved>::new())
        .on(Hear::<StockRejected>::new())
        .on(Hear::<StockReleased>::new())
        .on(Hear::<PaymentCaptured>::new())
        .on(Hear::<PaymentDeclined>::new())
        .on(Hear::<PaymentVoided>::new())
        .on(Hear::<PaymentRefunded>::new())
        .on(Hear::<ShipmentBooked>::new())
        .on(Hear::<ShipmentRejected>::new())
        .on(Hear::<ShipmentCancelled>::new())
        .on(Hear::<ShipmentCancellationRefused>::new())
        .on(Hear::<ShipmentDispatched>::new())
        .on(Hear::<ShipmentDelivered>::new())
}

/// Lets the order hear an answer. An order that is not there, or never asked, refuses, and the answer is parked.
struct Hear<E>(PhantomData<fn() -> E>);

impl<E> Hear<E> {
    const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E: Reply> Reaction for Hear<E> {
    type Event = E;
    const NAME: &'static str = E::REACTION;

    async fn give_up(&self, _: &mut Tx, _: &StreamName) -> Result<(), Error> {
        Err(must_be_replayed(Self::NAME))
    }

    async fn react(&self, tx: &mut Tx, event: &Received<E>) -> Result<(), Error> {
        let (order_id, command) = event.data.heard();
        tx.execute::<Order>(order_id, order_id, command).await?;
        Ok(())
    }
}
