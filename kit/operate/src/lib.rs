//! What operators see and do: how far each consumer has read, what it could not handle, pauses, read models, who did what, and copies of
//! databases.
//!
//! How an event is read, or gets into quarantine, must not be here.
//!
#![doc = include_str!("../README.md")]

mod backup;
mod consumers;
mod metrics;
mod pause;
mod projections;
mod quarantine;

pub use self::backup::{accept_loss, back_up, restore};
pub use self::consumers::{Consumer, Consumers, Partition, Source};
pub use self::pause::{Pause, follow_pauses, pause_consumer, paused_consumers, resume_consumer};
pub use self::projections::{PROJECTION_UNKNOWN, Projected, Projections};
pub use self::quarantine::{
    Act, ActKind, ActOutcome, CONSUMER_UNKNOWN, Drained, Outcome, ParkedEvent, ParkedStream, ParkedSummary, Quarantine,
    Tried, acts, measure_quarantine,
};
