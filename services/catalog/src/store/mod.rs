//! Products in the database: the row a product is read from, written with its events. No rule about products belongs here.

mod migrations;
pub mod product;
mod products;

pub use migrations::migrations;
pub use product::Model as ProductRow;
pub use products::{find, insert, page, reprice, retire};
