use contracts::tradewind::ordering::v1::OrderCancellationRequested;
use tradewind_domain::Error;
use tradewind_events::{Reaction, Received, StreamName, Tx, must_be_replayed};

use super::intents::execute;
use crate::domain::Command;

/// Decides whether a confirmed order can still be cancelled: it cannot once the parcel has left.
pub struct AnswerOnOrderCancellationRequested;

impl Reaction for AnswerOnOrderCancellationRequested {
    type Event = OrderCancellationRequested;
    const NAME: &'static str = "answer_on_order_cancellation_requested";

    async fn give_up(&self, _: &mut Tx, _: &StreamName) -> Result<(), Error> {
        Err(must_be_replayed(Self::NAME))
    }

    async fn react(&self, tx: &mut Tx, event: &Received<OrderCancellationRequested>) -> Result<(), Error> {
        execute(tx, &event.data.order_id, Command::from(&event.data)).await.map(drop)
    }
}
