//! Flows in the database: how their two halves are written, and how they are read. What follows what must not be here.

pub mod flow;
mod flows;
mod migrations;
mod place;
mod sums;

pub use flow::Model as FlowRow;
pub(crate) use flows::{Wanted, page, place, put_answer, put_question};
pub use migrations::migrations;
pub use place::Place;
pub(crate) use sums::{Reached, Sum, settled_since, sums, waiting};
