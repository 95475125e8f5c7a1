//! Items in the database: the row an item is read from, written with its events. No rule about items belongs here.

pub mod item;
pub mod items;
mod migrations;

pub use item::Model as ItemRow;
pub use migrations::migrations;
