//! The rules of products: what may be listed, and how a price may change. Pure.
//!
//! No I/O, no clock, no database rows, no gRPC.

mod listing;
mod product;

pub use listing::{Listing, is_description, is_name, is_product_id};
pub use product::{Command, Product, ProductError, ProductEvent};
