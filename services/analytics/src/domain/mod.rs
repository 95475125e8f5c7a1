//! What has to follow what, and how long that takes. Pure.
//!
//! No I/O, no clock, no database rows, no gRPC.

mod age;
mod done;
mod step;

pub use age::Age;
pub use done::Done;
pub use step::{STEPS, Step, Turn, answered_by, asked_by, owner_of, part_in, turns_of};
