//! What has to follow what, and how long that takes. Pure.
//!
//! No I/O, no clock, no database rows, no gRPC.

mod age;
mod step;

pub use age::Age;
pub use step::{STEPS, Step, Turn, answered_by, asked_by, in_which_it_is_the_turn_of, owner_of};
