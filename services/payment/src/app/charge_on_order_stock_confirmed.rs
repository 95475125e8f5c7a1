use contracts::tradewind::ordering::v1::OrderStockConfirmed;
use tradewind_domain::{Aggregate, Error};
use tradewind_events::{GIVEN_UP, Reaction, Received, StreamName, Tx};

use super::intents::execute;
use crate::domain::{Command, Payment};

/// Asks for the money as soon as every unit of the order is set aside.
pub struct ChargeOnOrderStockConfirmed;

impl Reaction for ChargeOnOrderStockConfirmed {
    type Event = OrderStockConfirmed;
    const NAME: &'static str = "charge_on_order_stock_confirmed";
    const BEGINS: Option<&'static str> = Some(Payment::NAME);

    async fn give_up(&self, tx: &mut Tx, stream: &StreamName) -> Result<(), Error> {
        let refuse = Command::Refuse { order_id: stream.id().to_owned(), reason: GIVEN_UP.to_owned() };
        execute(tx, stream.id(), refuse).await.map(drop)
    }

    async fn react(&self, tx: &mut Tx, event: &Received<OrderStockConfirmed>) -> Result<(), Error> {
        execute(tx, &event.data.order_id, Command::try_from(&event.data)?).await.map(drop)
    }
}
