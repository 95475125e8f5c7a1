//! OrderPlaced → StockReserved, or StockRejected that names every short line.

use contracts::tradewind::inventory::v1;
use contracts::tradewind::ordering::v1::OrderPlaced;
use tradewind_domain::Error;
use tradewind_events::{GIVEN_UP, Reaction, Received};
use tradewind_store::Tx;

use crate::domain::{Command, Demand, Reservation, ReservationEvent};
use crate::store;

/// Sets aside what a new order needs, all of it or nothing.
pub struct ReserveOnOrderPlaced;

impl Reaction<OrderPlaced> for ReserveOnOrderPlaced {
    const PREPARES: bool = true;

    /// Locks together what several orders need.
    async fn prepare(&self, tx: &mut Tx, events: &[Received<OrderPlaced>]) -> Result<(), Error> {
        // An order that makes no sense is refused when it is its turn.
        let demands: Vec<_> = events.iter().filter_map(|event| Demand::of(&event.data.lines).ok()).collect();
        let skus: Vec<_> = demands.iter().flat_map(Demand::skus).collect();
        store::lock_levels(tx, &skus).await.map(drop)
    }

    async fn react(&self, tx: &mut Tx, event: &Received<OrderPlaced>) -> Result<(), Error> {
        let order_id = &event.data.order_id;
        let demand = Demand::of(&event.data.lines)?;
        let levels = store::lock_levels(tx, &demand.skus()).await?;
        let answer = demand.plan(&levels).answer(order_id);
        let answered = tx.execute::<Reservation>(order_id, answer).await?;
        if let [ReservationEvent::Reserved(_)] = answered.events.as_slice() {
            store::reserve(tx, &v1::Reservation::from(&answered.state));
        }
        Ok(())
    }
}

/// Rejects what is asked for by an event that is given up.
pub(super) async fn refuse(tx: &mut Tx, order_id: &str) -> Result<(), Error> {
    let reject =
        Command::Reject { order_id: order_id.to_owned(), short_lines: Vec::new(), reason: GIVEN_UP.to_owned() };
    tx.execute::<Reservation>(order_id, reject).await.map(drop)
}
