use contracts::tradewind::ordering::v1::OrderPaid;
use tradewind_domain::{Aggregate, Error};
use tradewind_events::{GIVEN_UP, Reaction, Received, StreamName, Tx};

use super::intents::execute;
use crate::domain::{Command, Shipment};

/// Asks the carrier as soon as the order is paid.
pub struct BookOnOrderPaid;

impl Reaction for BookOnOrderPaid {
    type Event = OrderPaid;
    const NAME: &'static str = "book_on_order_paid";
    const BEGINS: Option<&'static str> = Some(Shipment::NAME);

    async fn give_up(&self, tx: &mut Tx, stream: &StreamName) -> Result<(), Error> {
        let refuse = Command::Refuse { order_id: stream.id().to_owned(), reason: GIVEN_UP.to_owned() };
        execute(tx, stream.id(), refuse).await.map(drop)
    }

    async fn react(&self, tx: &mut Tx, event: &Received<OrderPaid>) -> Result<(), Error> {
        execute(tx, &event.data.order_id, Command::from(&event.data)).await.map(drop)
    }
}
