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
    /// How its state is kept beside a long stream; `None` where streams stay short.
    const SNAPSHOT: Option<Snapshot<Self>> = None;

    /// Returns the events that `command` leads to in this state; none when it has nothing left to
    /// do, which makes a repeated command harmless.
    ///
    /// # Errors
    /// The rule that forbids the command in this state.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// Applies one event that has happened. It cannot refuse.
    fn evolve(&mut self, event: &Self::Event);
}

/// How an aggregate's state is kept beside its stream, so that a long one need not be read from its beginning.
///
/// It is a shortcut and never the truth: one that cannot be used is passed over, and all of them may be deleted at any time.
pub struct Snapshot<A> {
    /// After how many more events it is kept anew; 0 is never.
    pub every: u64,
    /// Which form the state has. It has to be another one when the bytes mean something else, and when `evolve` makes another
    /// state of the same events: what is kept in another form is passed over.
    pub form: u32,
    /// Writes the state.
    pub encode: fn(&A) -> Vec<u8>,
    /// Reads the state; `None` where the bytes are none.
    pub decode: fn(&[u8]) -> Option<A>,
}

impl<A> Snapshot<A> {
    /// Tells whether the state is kept when its stream grows from version `before` to `after`.
    #[must_use]
    pub const fn is_due(&self, before: u64, after: u64) -> bool {
        match (before.checked_div(self.every), after.checked_div(self.every)) {
            (Some(before), Some(after)) => before < after,
            _ => false,
        }
    }
}
