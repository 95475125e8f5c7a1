//! What a caller writes of which items of a list are wanted, in which order, and where the page before ended: read, checked against
//! what a service offers, and made conditions of its query. No table belongs here, and no text in SQL.
//!
#![doc = include_str!("../README.md")]

mod condition;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod keyset;
mod order;
mod parse;
mod schema;
mod token;
mod tree;
mod value;

pub use condition::{compare, condition, contains};
pub use keyset::{Key, following, up_to};
pub use order::{Sorted, order_by};
pub use parse::{LONGEST, MOST_DEPTH, MOST_TERMS, parse};
pub use schema::{Check, Field, check};
pub use token::{opened, sealed};
pub use tree::{Operator, Says, Term, Tree, Written};
pub use value::{Bound, Kind};
