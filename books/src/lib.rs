//! The proof of the promise: what ordering says of its orders equals what the card provider and the carrier say they did, and every
//! unit of stock is accounted for, by its counters and by its movements. The demonstration, replays, chaos and tests all prove it here, by the same rules.
//!
//! [`prove`] is pure: facts in, what is wrong out. [`Sources`] collects the facts from whoever says them. Nothing here starts,
//! changes or repairs anything.

mod facts;
mod proof;
mod rules;
mod sources;
mod statements;

pub use facts::{Booking, CardEntry, Facts};
pub use proof::{Proof, prove};
pub use rules::{Broken, Rule, not_negative};
pub use sources::Sources;
pub use statements::Statements;
