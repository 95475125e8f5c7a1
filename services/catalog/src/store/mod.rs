//! Products in the database: the row a product is read from, written with its events. No rule about products belongs here.

mod migrations;
mod products;

pub use migrations::migrations;
pub use products::{ProductRow, find, insert, page, reprice, retire};
