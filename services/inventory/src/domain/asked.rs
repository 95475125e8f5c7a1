//! What an order's events ask of its reservation.

use contracts::tradewind::ordering::v1::{OrderCancelled, OrderShipped};

use super::{Command, Plan};

impl Plan {
    /// The answer of this plan to the order.
    #[must_use]
    pub fn answer(self, order_id: &str) -> Command {
        let order_id = order_id.to_owned();
        match self {
            Self::Covered(allocations) => Command::Reserve { order_id, allocations },
            Self::Short(short_lines) => Command::Reject { order_id, short_lines, reason: String::new() },
        }
    }
}

impl From<&OrderCancelled> for Command {
    fn from(event: &OrderCancelled) -> Self {
        Self::Release { order_id: event.order_id.clone() }
    }
}

impl From<&OrderShipped> for Command {
    fn from(_: &OrderShipped) -> Self {
        Self::Ship
    }
}
