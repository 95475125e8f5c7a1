//! The table that lists of payments are read from, kept from this context's own events. It decides nothing.

mod migrations;
pub mod payment;
mod payments;

pub(crate) use migrations::migrations;
pub(crate) use payments::{page, put};
