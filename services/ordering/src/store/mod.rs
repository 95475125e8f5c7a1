//! The tables of this context beside its events: the price list and the list of orders. No rule belongs here.

pub mod listed_line;
pub mod listed_order;
mod migrations;
pub(crate) mod order_fields;
pub(crate) mod order_list;
pub mod price;
pub(crate) mod price_list;

pub use migrations::migrations;
