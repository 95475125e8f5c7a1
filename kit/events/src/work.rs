//! What is owed to the outside or to a time, written in the transaction that owes it: intents, which a worker calls, and
//! timers, which fire.

mod intents;
mod owed;
mod queue;
#[cfg(test)]
mod tests;
mod timers;

pub(crate) use self::intents::Worker;
pub use self::intents::{Intent, IntentHandler, Unknown};
pub use self::owed::{NewIntent, cancel_timer, intend, schedule, withdraw};
pub use self::timers::TimerHandler;
pub(crate) use self::timers::Timers;
