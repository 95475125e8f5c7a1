//! Stock levels and open reservations in the database: counters that only conditional statements change. Beside them the movements, kept
//! from the events, and where the two differ.
//!
//! Everything that writes takes the transaction it belongs to; no rule about orders belongs here.

mod differences;
pub mod level;
mod migrations;
mod movements;
mod moves;
pub mod open_reservation;
mod open_reservations;
mod private;
mod stock;
pub mod stock_difference;
pub mod stock_movement;

pub(crate) use differences::{differences, known, open, put_found, put_resolved};
pub use level::Model as StockRow;
pub use migrations::migrations;
pub use movements::{Of, Wanted};
pub(crate) use movements::{balances, movements, number, put_movement};
pub use moves::{lock_levels, release, reserve, ship};
pub use open_reservations::page as open_reservations;
pub use private::Private;
pub(crate) use stock::{counters, lock_level, set_counters};
pub use stock::{levels_of, page as stock_page, receive};
