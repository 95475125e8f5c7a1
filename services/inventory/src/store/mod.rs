//! Stock levels and open reservations in the database: counters that only conditional statements change.
//!
//! Everything that writes takes the transaction it belongs to; no rule about orders belongs here.

pub mod level;
mod migrations;
mod moves;
pub mod open_reservation;
mod open_reservations;
mod stock;

pub use level::Model as StockRow;
pub use migrations::migrations;
pub use moves::{lock_levels, release, reserve, ship};
pub use open_reservations::page as open_reservations;
pub use stock::{levels_of, page as stock_page, receive};
