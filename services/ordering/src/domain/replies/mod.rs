//! What each participant's answer asks of the order.

mod inventory;
mod payment;
mod shipping;

use prost::{Message, Name};

use super::Command;

/// A participant's answer, and what it asks of the order.
pub trait Reply: Message + Name + Default + 'static {
    /// The order that it answers, and the command it amounts to.
    fn heard(&self) -> (&str, Command);
}
