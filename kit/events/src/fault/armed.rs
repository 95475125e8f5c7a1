//! Faults as they are with the feature.

mod journal;
mod kill;
mod messages;

pub use journal::keep_journal;
pub(crate) use journal::{create as create_journal, note};
pub(crate) use kill::hit;
pub use kill::{Kill, arm};
pub(crate) use messages::takes;
pub use messages::{Mangling, mangle};
