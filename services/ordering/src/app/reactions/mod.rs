//! What the order, and its price list, make of other contexts' events. The names are the contract's.

mod catalog;

use contracts::reactions;
use tradewind_domain::Error;
use tradewind_events::{Reactions, Received};
use tradewind_store::Tx;

use self::catalog::{price_on_product_listed, price_on_product_repriced, withdraw_on_product_retired};
use super::decide;
use super::erase_customer::forget_on_customer_erased;
use crate::domain::Reply;

/// Every reaction of this context.
#[must_use]
pub fn reactions() -> Reactions {
    tradewind_runtime::reactions(reactions::Ordering {
        price_on_product_listed,
        price_on_product_repriced,
        withdraw_on_product_retired,
        confirm_stock_on_stock_reserved: hear,
        cancel_on_stock_rejected: hear,
        close_on_stock_released: hear,
        pay_on_payment_captured: hear,
        cancel_on_payment_declined: hear,
        close_on_payment_voided: hear,
        close_on_payment_refunded: hear,
        confirm_on_shipment_booked: hear,
        cancel_on_shipment_rejected: hear,
        cancel_on_shipment_cancelled: hear,
        keep_on_shipment_cancellation_refused: hear,
        ship_on_shipment_dispatched: hear,
        deliver_on_shipment_delivered: hear,
        forget_on_customer_erased,
    })
}

/// Lets the order hear an answer. An order that is not there, or never asked, refuses, and the answer is parked.
async fn hear<E: Reply>(tx: &mut Tx, event: &Received<E>) -> Result<(), Error> {
    let (order_id, command) = event.data.heard();
    decide::execute(tx, order_id, command).await
}
