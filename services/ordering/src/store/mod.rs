//! The tables of this context beside its events: the price list and the list of orders. No rule belongs here.

mod migrations;
pub(crate) mod order_list;
pub(crate) mod price_list;

pub(crate) use migrations::migrations;
