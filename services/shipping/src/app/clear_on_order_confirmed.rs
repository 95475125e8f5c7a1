use contracts::tradewind::ordering::v1::OrderConfirmed;
use tradewind_domain::Error;
use tradewind_events::{Reaction, Received, StreamName, Tx, must_be_replayed};

use super::intents::execute;
use crate::domain::Command;

/// Lets the parcel leave from now on.
pub struct ClearOnOrderConfirmed;

impl Reaction for ClearOnOrderConfirmed {
    type Event = OrderConfirmed;
    const NAME: &'static str = "clear_on_order_confirmed";

    async fn give_up(&self, _: &mut Tx, _: &StreamName) -> Result<(), Error> {
        Err(must_be_replayed(Self::NAME))
    }

    async fn react(&self, tx: &mut Tx, event: &Received<OrderConfirmed>) -> Result<(), Error> {
        execute(tx, &event.data.order_id, Command::from(&event.data)).await.map(drop)
    }
}
