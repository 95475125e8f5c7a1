//! OrderShipped → StockShipped.

use contracts::tradewind::ordering::v1::OrderShipped;
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_store::Tx;

use crate::domain::{Command, Reservation, ReservationEvent};
use crate::store;

/// Books what was set aside for a shipped order out of the building.
pub async fn ship_on_order_shipped(tx: &mut Tx, event: &Received<OrderShipped>) -> Result<(), Error> {
    let order_id = &event.data.order_id;
    let done = tx.execute::<Reservation>(order_id, Command::from(&event.data)).await?;
    if let [ReservationEvent::Shipped(shipped)] = done.events.as_slice() {
        store::ship(tx, order_id, &shipped.allocations);
    }
    Ok(())
}
