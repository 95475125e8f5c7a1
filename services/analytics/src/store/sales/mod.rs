//! Sales in the database: what is written of each event, the sums that follow in the same transaction, and how these are read.

mod counting;
pub mod customer;
mod facts;
mod place;
mod read;
pub mod sale;
pub mod sale_line;
pub mod sold;
pub mod stock;
pub mod stock_taken;
mod tables;
pub mod taken_step;

pub(crate) use facts::put;
pub use place::{SalePlace, StockPlace};
pub(crate) use read::{
    StepSum, WantedSales, sale_place, sold_page, step_sums, stock_page, stock_place, taken, taken_since,
};
pub(super) use tables::CreateSales;
