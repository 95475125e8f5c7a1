//! Which services there are, what each is told, and what keeps a process running, for whoever runs a shop on one machine: the command line, the tests over
//! the whole shop, chaos and the benchmarks. Where a shop lives, and what happens in it, is none of this crate's business.

mod environment;
mod process;
pub mod services;
mod supervised;

pub use environment::Environment;
pub use process::{Spec, die_with_parent};
pub use supervised::{Death, State, Supervised, always, never};
