//! The consistency boundary: a state that is nothing but its events.

use crate::{DomainError, EventSet};

/// A consistency boundary whose state is the fold of its events.
///
/// `Default` is the state before the first event. Both functions are pure: time, randomness and
/// anything read from elsewhere arrive inside the command. An aggregate's id names its stream, and is
/// the key by which its events keep their order on the way to others.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// The aggregate's name in lower case: prefix of its streams and a token of its subjects.
    const NAME: &'static str;
    /// What can be asked of it.
    type Command: Send + 'static;
    /// What can have happened to it.
    type Event: EventSet;
    /// Why it can refuse.
    type Error: DomainError + Send;

    /// Returns the events that `command` leads to in this state; none when it has nothing left to
    /// do, which makes a repeated command harmless.
    ///
    /// # Errors
    /// The rule that forbids the command in this state.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// Applies one event that has happened. It cannot refuse.
    fn evolve(&mut self, event: &Self::Event);
}
