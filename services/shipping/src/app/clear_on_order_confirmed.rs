use contracts::tradewind::ordering::v1::OrderConfirmed;
use tradewind_domain::Error;
use tradewind_events::{Reaction, Received, Tx};

use super::intents::execute;
use crate::domain::Command;

/// Lets the parcel leave from now on.
pub struct ClearOnOrderConfirmed;

impl Reaction for ClearOnOrderConfirmed {
    type Event = OrderConfirmed;
    const NAME: &'static str = "clear_on_order_confirmed";

    async fn react(&self, tx: &mut Tx, event: &Received<OrderConfirmed>) -> Result<(), Error> {
        execute(tx, &event.data.order_id, Command::from(&event.data)).await.map(drop)
    }
}
