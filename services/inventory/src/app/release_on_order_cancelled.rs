//! OrderCancelled → StockReleased, where anything was set aside.

use contracts::tradewind::ordering::v1::OrderCancelled;
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_store::Tx;

use crate::domain::{Command, Reservation, ReservationEvent};
use crate::store;

/// Makes what was set aside for a cancelled order available again.
pub async fn release_on_order_cancelled(tx: &mut Tx, event: &Received<OrderCancelled>) -> Result<(), Error> {
    let order_id = &event.data.order_id;
    let done = tx.execute::<Reservation>(order_id, Command::from(&event.data)).await?;
    if let [ReservationEvent::Released(released)] = done.events.as_slice() {
        store::release(tx, order_id, &released.allocations);
    }
    Ok(())
}
