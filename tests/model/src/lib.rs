//! The saga under a model checker: every interleaving of two orders over one stock, decided by the services' own rules.
//!
//! What is the services' own: `decide` and `evolve` of order, reservation, payment and shipment; which command each
//! event becomes; which call to the outside an event asks for, how it is made, and what its answer becomes. What is the
//! model's: logs and cursors, the stock's counters, and the outside. See the README for what is left out.

mod automaton;
mod calls;
mod message;
mod mutant;
mod order;
mod outside;
mod report;
mod rules;
mod saga;
mod shop;
mod step;
mod story;

pub use message::{Context, Message};
pub use mutant::Mutant;
pub use report::{Finding, Report, check};
pub use story::Story;

/// What is explored.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Setting {
    /// Units in stock; each order needs one.
    pub units: i64,
    /// How many messages of each order are handled again, with effect, as if a reader had lost its cursor.
    pub heard_again: usize,
    /// The outside makes mistakes: it takes other money than it is asked for, and books parcels without a number.
    pub mistakes: bool,
    /// One event of each order is handled by a participant after one that follows it, as if its log had them the wrong way
    /// round.
    pub overtaken: bool,
    /// A bug that is planted around the real rules.
    pub mutant: Option<Mutant>,
}
