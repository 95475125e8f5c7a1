use contracts::tradewind::ordering::v1::OrderConfirmed;
use tradewind_domain::Error;
use tradewind_events::Received;
use tradewind_store::Tx;

use super::intents::execute;
use crate::domain::Command;

/// Lets the parcel leave from now on.
pub(super) async fn clear_on_order_confirmed(tx: &mut Tx, event: &Received<OrderConfirmed>) -> Result<(), Error> {
    execute(tx, &event.data.order_id, Command::from(&event.data)).await.map(drop)
}
