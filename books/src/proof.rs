//! All rules applied to all facts, and what the books come to.

use crate::rules::{self, Broken, of_kind};
use crate::{Booking, Facts};

/// What the books come to, and every rule that is broken.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Orders looked at.
    pub orders: usize,
    /// Charges captured, by the provider's statement.
    pub captured: usize,
    /// Charges paid back, by the provider's statement.
    pub refunded: usize,
    /// Bookings the carrier still holds or has carried out.
    pub booked: usize,
    /// SKUs looked at, over all locations.
    pub levels: usize,
    /// Units set aside for orders.
    pub reserved: i64,
    /// Accounts of the ledger looked at, each in one currency.
    pub accounts: usize,
    /// Whatever is wrong.
    pub broken: Vec<Broken>,
}

/// Applies every rule to the facts.
#[must_use]
pub fn prove(facts: &Facts) -> Proof {
    Proof {
        orders: facts.orders.len(),
        captured: of_kind(&facts.card, "capture").count(),
        refunded: of_kind(&facts.card, "refund").count(),
        booked: facts.carrier.iter().filter(|booking| stands(booking)).count(),
        levels: facts.levels.len(),
        reserved: facts.levels.iter().map(|level| level.reserved).sum(),
        accounts: facts.balances.len(),
        broken: rules::broken(facts),
    }
}

fn stands(booking: &Booking) -> bool {
    matches!(booking.status.as_str(), "booked" | "dispatched" | "delivered")
}

impl Proof {
    /// Tells whether every rule holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.broken.is_empty()
    }

    /// The books for people, one line each; only what is wrong where something is.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        if !self.holds() {
            return self.broken.iter().map(|broken| format!("BROKEN: {broken}")).collect();
        }
        let kept = self.captured.saturating_sub(self.refunded);
        vec![
            format!("{} orders, every one settled or being delivered", self.orders),
            format!("card provider: {} captured = {kept} kept + {} refunded, each once", self.captured, self.refunded),
            format!("carrier: {} bookings stand, each for an order that is confirmed or beyond", self.booked),
            format!("stock: {} levels, on hand = received - shipped, none negative", self.levels),
            format!("stock: {} units reserved = the open allocations of confirmed orders", self.reserved),
            format!("ledger: {} balances sum to zero, what was cleared is what the card provider kept", self.accounts),
        ]
    }
}
