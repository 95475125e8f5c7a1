use contracts::tradewind::ordering::v1::OrderStockConfirmed;
use tradewind_domain::Error;
use tradewind_events::{GIVEN_UP, Received};
use tradewind_store::Tx;

use super::intents::execute;
use crate::domain::Command;

/// Asks for the money as soon as every unit of the order is set aside.
pub(super) async fn charge_on_order_stock_confirmed(
    tx: &mut Tx,
    event: &Received<OrderStockConfirmed>,
) -> Result<(), Error> {
    execute(tx, &event.data.order_id, Command::try_from(&event.data)?).await.map(drop)
}

/// Declines what is asked for by an event that is given up.
pub(super) async fn refuse(tx: &mut Tx, order_id: &str) -> Result<(), Error> {
    let refuse = Command::Refuse { order_id: order_id.to_owned(), reason: GIVEN_UP.to_owned() };
    execute(tx, order_id, refuse).await.map(drop)
}
