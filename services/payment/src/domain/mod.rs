//! The payment of one order and its rules: taken once at most, given back once at most.
//!
//! Everything here is pure: no I/O, no clock, no transport. Events are the contract's own messages.

mod asked;
mod command;
mod error;
mod event;
mod moved;
mod payment;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use error::PaymentError;
pub use event::{PROVIDER_MISMATCH, PaymentEvent};
pub use moved::Moved;
pub use payment::Payment;
use tradewind_domain::Sensitive;

/// What the card provider gave a client for its card: it pays.
pub type Token = Sensitive<String>;
