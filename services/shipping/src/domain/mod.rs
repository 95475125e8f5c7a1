//! The shipment of one order and its rules: it leaves or it is cancelled, never both.
//!
//! Everything here is pure: no I/O, no clock, no transport. Events are the contract's own messages.

mod asked;
mod command;
mod error;
mod event;
mod shipment;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use error::ShipmentError;
pub use event::ShipmentEvent;
pub use shipment::Shipment;
