//! The payment of one order and its rules: taken once at most, given back once at most; what it moves in the ledger, and what the
//! ledger and the provider's statement do not agree on.
//!
//! Everything here is pure: no I/O, no clock, no transport. Events are the contract's own messages.

mod asked;
mod command;
mod compare;
mod difference;
mod error;
mod event;
mod ledger;
mod moved;
mod payment;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use compare::{Compared, Moment, Said, compare};
pub use difference::{Difference, DifferenceCommand, DifferenceError, DifferenceEvent, RECONCILE, SETTLED};
pub use error::PaymentError;
pub use event::{PROVIDER_MISMATCH, PaymentEvent};
pub use ledger::{Transfer, transfers};
pub use moved::Moved;
pub use payment::Payment;
use tradewind_domain::Sensitive;

/// What the card provider gave a client for its card: it pays.
pub type Token = Sensitive<String>;
