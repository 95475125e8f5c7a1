//! OrderPlaced → StockReserved, or StockRejected that names every short line.

use contracts::tradewind::inventory::v1;
use contracts::tradewind::ordering::v1::OrderPlaced;
use tradewind_domain::{Aggregate, Error};
use tradewind_events::{GIVEN_UP, Reaction, Received, StreamName, Tx};

use crate::domain::{Command, Demand, Reservation, ReservationEvent};
use crate::store;

/// Sets aside what a new order needs, all of it or nothing.
pub struct ReserveOnOrderPlaced;

impl Reaction for ReserveOnOrderPlaced {
    type Event = OrderPlaced;
    const NAME: &'static str = "reserve_on_order_placed";
    const BEGINS: Option<&'static str> = Some(Reservation::NAME);

    async fn give_up(&self, tx: &mut Tx, stream: &StreamName) -> Result<(), Error> {
        let (order_id, reason) = (stream.id().to_owned(), GIVEN_UP.to_owned());
        let refuse = Command::Reject { order_id, short_lines: Vec::new(), reason };
        tx.execute::<Reservation>(stream.id(), stream.id(), refuse).await.map(drop)
    }

    async fn react(&self, tx: &mut Tx, event: &Received<OrderPlaced>) -> Result<(), Error> {
        let order_id = &event.data.order_id;
        let demand = Demand::of(&event.data.lines)?;
        let levels = store::lock_levels(tx.conn(), &demand.skus()).await?;
        let answer = demand.plan(&levels).answer(order_id);
        let answered = tx.execute::<Reservation>(order_id, order_id, answer).await?;
        if let [ReservationEvent::Reserved(_)] = answered.events.as_slice() {
            store::reserve(tx, &v1::Reservation::from(&answered.state)).await?;
        }
        Ok(())
    }
}
