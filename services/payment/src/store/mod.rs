//! The tables of this context: the list of payments and the ledger, kept from its own events, and the ledger's differences. They decide
//! nothing.

mod differences;
mod ledger;
pub mod ledger_difference;
pub mod ledger_entry;
mod migrations;
pub mod payment;
mod payments;
#[cfg(test)]
mod tests;

pub(crate) use differences::{differences, known, open_by_kind, put_found, put_resolved};
pub use ledger::Wanted;
pub(crate) use ledger::{balances, entries, moved, number, put_entry};
pub(crate) use migrations::migrations;
pub(crate) use payments::{page, put};
