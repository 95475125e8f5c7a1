//! What this context does: follow its orders, call the card provider, tell how payments stand.
//!
//! One use case a file. Transport, SQL and HTTP are elsewhere: the provider is reached through [`CardProvider`].

mod call_card_provider;
mod card_provider;
mod charge_on_order_stock_confirmed;
mod get_payment;
mod give_back_on_order_cancelled;
mod intents;
mod list_payments;
#[cfg(test)]
mod tests;

use contracts::reactions;
use tradewind_events::{Forward, Reactions};

use self::charge_on_order_stock_confirmed::{charge_on_order_stock_confirmed, refuse};
use self::give_back_on_order_cancelled::give_back_on_order_cancelled;
use crate::domain::Payment;

pub use call_card_provider::CallCardProvider;
pub use card_provider::{CardProvider, Charge, ChargeAnswer, NoAnswer, Receipt, Refund};
pub use get_payment::get_payment;
pub use intents::intent_of;
pub use list_payments::{list_payments, payment_list};

/// What follows the events of orders.
#[must_use]
pub fn reactions() -> Reactions {
    tradewind_runtime::reactions(reactions::Payment {
        charge_on_order_stock_confirmed: Forward::new::<Payment>(charge_on_order_stock_confirmed, refuse),
        give_back_on_order_cancelled,
    })
}
