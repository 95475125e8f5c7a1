use contracts::tradewind::ordering::v1::OrderCancelled;
use tradewind_domain::Error;
use tradewind_events::{Reaction, Received, StreamName, Tx, must_be_replayed};

use super::intents::execute;
use crate::domain::Command;

/// Takes back whatever the cancelled order has set going: an open charge is voided, a captured one refunded.
pub struct GiveBackOnOrderCancelled;

impl Reaction for GiveBackOnOrderCancelled {
    type Event = OrderCancelled;
    const NAME: &'static str = "give_back_on_order_cancelled";

    async fn give_up(&self, _: &mut Tx, _: &StreamName) -> Result<(), Error> {
        Err(must_be_replayed(Self::NAME))
    }

    async fn react(&self, tx: &mut Tx, event: &Received<OrderCancelled>) -> Result<(), Error> {
        execute(tx, &event.data.order_id, Command::from(&event.data)).await.map(drop)
    }
}
