//! What is known of sales, in the database: each event writes its part of a row, in any order. What a document says must not be here.

mod migrations;
pub mod sale;
mod sales;

pub use migrations::migrations;
pub use sale::Model as SaleRow;
pub(crate) use sales::{find, put_confirmed, put_placed, put_refunded, reduce};
