//! The order and its rules: what may happen to it, in which order, what it is owed when it is
//! cancelled, and how products of the sales context become priced SKUs.
//!
//! Everything here is pure: no I/O, no clock, no transport. Events are the contract's own messages.

mod assortment;
mod command;
mod debts;
mod decide;
mod error;
mod event;
mod order;
mod pricing;
mod replies;
#[cfg(test)]
mod tests;

pub use assortment::{Assortment, AssortmentError, Offer, Wanted};
pub use command::{Command, Place};
pub use error::OrderError;
pub use event::OrderEvent;
pub use order::Order;
pub use pricing::Line;
pub use replies::Reply;

use tradewind_domain::Aggregate;

impl Aggregate for Order {
    const NAME: &'static str = "order";
    type Command = Command;
    type Event = OrderEvent;
    type Error = OrderError;

    fn decide(&self, command: Command) -> Result<Vec<OrderEvent>, OrderError> {
        decide::decide(self, command)
    }

    fn evolve(&mut self, event: &OrderEvent) {
        self.apply(event);
    }
}
