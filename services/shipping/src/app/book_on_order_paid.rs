use contracts::tradewind::{
    ordering::v1::{OrderPaid, PricedLine},
    shipping::v1::ParcelItem,
};
use tradewind_domain::Error;
use tradewind_events::{Reaction, Received, Tx};

use super::intents::execute;
use crate::domain::Command;

/// Asks the carrier as soon as the order is paid.
pub struct BookOnOrderPaid;

impl Reaction for BookOnOrderPaid {
    type Event = OrderPaid;
    const NAME: &'static str = "book_on_order_paid";

    async fn react(&self, tx: &mut Tx, event: &Received<OrderPaid>) -> Result<(), Error> {
        let OrderPaid { order_id, recipient, lines } = &event.data;
        let book = Command::Book {
            order_id: order_id.clone(),
            recipient: recipient.clone(),
            items: lines.iter().map(item).collect(),
        };
        execute(tx, order_id, book).await
    }
}

fn item(line: &PricedLine) -> ParcelItem {
    ParcelItem { sku: line.sku.clone(), quantity: line.quantity.into() }
}
