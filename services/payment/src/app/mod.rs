//! What this context does: follow its orders, call the card provider, tell how payments stand and what they have moved.
//!
//! One use case a file. Transport, SQL and HTTP are elsewhere: the provider is reached through [`CardProvider`] and
//! [`Statement`].

mod call_card_provider;
mod card_provider;
mod charge_on_order_stock_confirmed;
mod count_differences;
mod forget_on_order_erased;
mod get_payment;
mod give_back_on_order_cancelled;
mod intents;
mod ledger;
mod list_differences;
mod list_entries;
mod list_payments;
mod moved;
mod reconcile;
mod resolve_difference;
mod statement;
#[cfg(test)]
mod tests;

use contracts::reactions;
use tradewind_events::{Forward, Reactions};

use self::charge_on_order_stock_confirmed::{charge_on_order_stock_confirmed, refuse};
use self::forget_on_order_erased::forget_on_order_erased;
use self::give_back_on_order_cancelled::give_back_on_order_cancelled;
use crate::domain::Payment;

pub use call_card_provider::CallCardProvider;
pub use card_provider::{CardProvider, Charge, ChargeAnswer, NoAnswer, Receipt, Refund};
pub use count_differences::count_differences;
pub use get_payment::get_payment;
pub use intents::intent_of;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) use intents::owed;
pub use ledger::ledger;
pub use list_differences::list_differences;
pub use list_entries::{get_balance, list_entries};
pub use list_payments::{list_payments, payment_list};
pub use reconcile::Reconciler;
pub use resolve_difference::resolve_difference;
pub use statement::{Statement, StatementPage};

/// What follows the events of orders.
#[must_use]
pub fn reactions() -> Reactions {
    tradewind_runtime::reactions(reactions::Payment {
        charge_on_order_stock_confirmed: Forward::new::<Payment>(charge_on_order_stock_confirmed, refuse),
        give_back_on_order_cancelled,
        forget_on_order_erased,
    })
}
