//! Events between services: the reactions to them, the readers that call those once and in order whatever is delivered, the relay
//! that publishes the own log, and what fills the gaps.
//!
//! The database is the truth and the broker a fast path. Nothing here knows a context, and nothing here speaks gRPC: the
//! owner's log is read through [`LogSource`]. How an event leaves quarantine must not be here.
//!
#![doc = include_str!("../README.md")]

pub mod fault;
mod heads;
mod held;
mod logs;
mod metrics;
mod outlet;
pub mod parked;
mod prune;
mod publishing;
mod purge;
mod reactions;
mod reader;
mod relay;
mod told;
mod wake;
mod witness;

#[cfg(any(test, feature = "fuzzed"))]
pub use heads::fuzzed;
pub use logs::Logs;
pub use outlet::Show;
pub use parked::{forget_consumer, forget_parked};
pub use prune::prune_requests;
pub use publishing::publish;
pub use reactions::{Ahead, Forward, GIVEN_UP, Reaction, Reactions, Received};
pub use reader::{Group, LogSource, Paused, QUARANTINE, Readers, Stuck, StuckReaders, stuck_everywhere};
pub use wake::ping_replicas;
pub use witness::witness;
