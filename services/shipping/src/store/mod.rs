//! The table that lists of shipments are read from, kept from this context's own events. It decides nothing.

mod migrations;
pub mod shipment;
mod shipments;

pub use migrations::migrations;
pub use shipments::{page, put};
