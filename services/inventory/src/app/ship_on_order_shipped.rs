//! OrderShipped → StockShipped.

use contracts::tradewind::ordering::v1::OrderShipped;
use tradewind_domain::Error;
use tradewind_events::{Reaction, Received, StreamName, Tx, must_be_replayed};

use crate::domain::{Command, Reservation, ReservationEvent};
use crate::store;

/// Books what was set aside for a shipped order out of the building.
pub struct ShipOnOrderShipped;

impl Reaction for ShipOnOrderShipped {
    type Event = OrderShipped;
    const NAME: &'static str = "ship_on_order_shipped";

    async fn give_up(&self, _: &mut Tx, _: &StreamName) -> Result<(), Error> {
        Err(must_be_replayed(Self::NAME))
    }

    async fn react(&self, tx: &mut Tx, event: &Received<OrderShipped>) -> Result<(), Error> {
        let order_id = &event.data.order_id;
        let done = tx.execute::<Reservation>(order_id, order_id, Command::from(&event.data)).await?;
        if let [ReservationEvent::Shipped(shipped)] = done.events.as_slice() {
            store::ship(tx, order_id, &shipped.allocations).await?;
        }
        Ok(())
    }
}
