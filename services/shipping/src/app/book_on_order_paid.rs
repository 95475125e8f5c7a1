use contracts::tradewind::ordering::v1::OrderPaid;
use tradewind_domain::Error;
use tradewind_events::{GIVEN_UP, Received};
use tradewind_store::Tx;

use super::intents::execute;
use crate::domain::Command;

/// Asks the carrier as soon as the order is paid.
pub(super) async fn book_on_order_paid(tx: &mut Tx, event: &Received<OrderPaid>) -> Result<(), Error> {
    execute(tx, &event.data.order_id, Command::from(&event.data)).await.map(drop)
}

/// Rejects what is asked for by an event that is given up.
pub(super) async fn refuse(tx: &mut Tx, order_id: &str) -> Result<(), Error> {
    let refuse = Command::Refuse { order_id: order_id.to_owned(), reason: GIVEN_UP.to_owned() };
    execute(tx, order_id, refuse).await.map(drop)
}
