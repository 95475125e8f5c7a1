//! Stock levels and open reservations in the database: counters that only conditional statements change.
//!
//! Everything that writes takes the connection of the transaction it belongs to; no rule about orders belongs here.

mod migrations;
mod moves;
mod open_reservations;
mod stock;

pub use migrations::migrations;
pub use moves::{release, reserve, ship};
pub use open_reservations::page as open_reservations;
pub use stock::{StockRow, levels_of, lock_levels, page as stock_page, receive};
