//! What operators see and do: how far each consumer has read, what it could not handle, pauses, and who did what.
//!
//! How an event is read, or gets into quarantine, must not be here.

mod consumers;
mod metrics;
mod pause;
mod quarantine;

pub use self::consumers::{Consumer, Consumers, Partition, Source};
pub use self::pause::{Pause, follow_pauses, pause_consumer, paused_consumers, resume_consumer};
pub use self::quarantine::{
    Act, ActKind, ActOutcome, Drained, Outcome, ParkedEvent, ParkedStream, ParkedSummary, Quarantine, Tried, acts,
    measure_quarantine,
};
