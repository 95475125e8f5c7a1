use contracts::tradewind::ordering::v1::OrderCancelled;
use tradewind_domain::Error;
use tradewind_events::{Reaction, Received, StreamName, Tx, must_be_replayed};

use super::intents::execute;
use crate::domain::Command;

/// Takes back a booking, also one that the carrier has not answered yet.
pub struct CancelOnOrderCancelled;

impl Reaction for CancelOnOrderCancelled {
    type Event = OrderCancelled;
    const NAME: &'static str = "cancel_on_order_cancelled";

    async fn give_up(&self, _: &mut Tx, _: &StreamName) -> Result<(), Error> {
        Err(must_be_replayed(Self::NAME))
    }

    async fn react(&self, tx: &mut Tx, event: &Received<OrderCancelled>) -> Result<(), Error> {
        execute(tx, &event.data.order_id, Command::from(&event.data)).await.map(drop)
    }
}
