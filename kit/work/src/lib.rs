//! What is owed to the outside or to a time, written in the transaction that owes it: intents, which a worker calls, and
//! timers, which fire.
//!
//! Who is called, and what an answer or a deadline leads to, must not be here.
//!
#![doc = include_str!("../README.md")]

mod attempts;
mod intents;
mod metrics;
mod open;
mod owed;
mod queue;
mod table;
#[cfg(test)]
mod tests;
mod timers;

pub use self::attempts::prune_attempts;
pub use self::intents::{IntentHandler, Unknown, Worker};
pub use self::open::{FailedAttempt, Open, OpenIntent, OpenTimer, open};
pub use self::owed::{NewIntent, cancel_timer, intend, schedule, withdraw};
pub use self::queue::Intent;
pub use self::timers::{TimerHandler, Timers};
