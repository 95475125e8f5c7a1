//! Flows in the database: how their two halves are written, and how they are read; and sales beside them. What follows what must not be
//! here.

pub mod flow;
mod flows;
mod migrations;
pub mod part;
mod parts;
mod place;
pub mod sales;
mod sums;

pub use flow::Model as FlowRow;
pub(crate) use flows::{Wanted, page, place, put_answer, put_question};
pub use migrations::migrations;
pub(crate) use parts::{parts, put_part};
pub use place::Place;
#[cfg(test)]
pub(crate) use sums::Settled;
pub(crate) use sums::{Reached, SUMMED, Sum, settled_since, sums, waiting};
