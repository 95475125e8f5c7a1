//! What operators see and do: how far each consumer has read, what it could not handle, pauses, and who did what.

mod consumers;
mod pause;
mod quarantine;

pub use self::consumers::{Consumer, Consumers, Partition, Source};
pub(crate) use self::pause::follow as follow_pauses;
pub use self::pause::{Pause, pause_consumer, paused_consumers, resume_consumer};
pub(crate) use self::quarantine::measure as measure_quarantine;
pub use self::quarantine::{
    Act, ActKind, ActOutcome, Drained, Outcome, ParkedEvent, ParkedStream, ParkedSummary, Quarantine, Tried, acts,
};
