use contracts::tradewind::ordering::v1::OrderCancelled;
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_store::Tx;

use super::intents::execute;
use crate::domain::Command;

/// Takes back a booking, also one that the carrier has not answered yet.
pub(super) async fn cancel_on_order_cancelled(tx: &mut Tx, event: &Received<OrderCancelled>) -> Result<(), Error> {
    execute(tx, &event.data.order_id, Command::from(&event.data)).await.map(drop)
}
