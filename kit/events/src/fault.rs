//! Faults on purpose: messages that get lost on their way, events of later builds, and a journal of what each reader handled.
//!
//! All of it is there only with the feature `faults`, and happens only in a process that asks for it. No rule depends on
//! anything here.

#[cfg(feature = "faults")]
mod handled;
#[cfg(not(feature = "faults"))]
mod inert;
#[cfg(feature = "faults")]
mod journal;
#[cfg(feature = "faults")]
mod later;
#[cfg(feature = "faults")]
mod messages;

#[cfg(not(feature = "faults"))]
pub use self::inert::create_journal;
#[cfg(not(feature = "faults"))]
pub(crate) use self::inert::{note, seen, takes};
#[cfg(feature = "faults")]
pub(crate) use self::journal::note;
#[cfg(feature = "faults")]
pub use self::journal::{create_journal, keep_journal};
#[cfg(feature = "faults")]
pub(crate) use self::later::seen;
#[cfg(feature = "faults")]
pub use self::later::{Rewrite, read_as_later};
#[cfg(feature = "faults")]
pub(crate) use self::messages::takes;
#[cfg(feature = "faults")]
pub use self::messages::{Mangling, mangle};
