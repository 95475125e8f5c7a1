//! What a party decides, and how its caller is answered. Which parties there are, and how decisions last, is not known here.

use std::time::Duration;

use crate::refusal::Refusal;

/// How a caller is answered once the decision is durable.
#[derive(Debug)]
pub(crate) enum Reply<T> {
    Now(T),
    After(Duration, T),
    /// The decision stands, but the connection ends without an answer.
    Lost,
    /// The connection is held until the caller gives up.
    Never,
    Refused(Refusal),
}

/// What is to be recorded, if anything, and how the caller is answered.
#[derive(Debug)]
pub(crate) struct Decision<F, T> {
    pub(crate) fact: Option<F>,
    pub(crate) reply: Reply<T>,
}

impl<F, T> Decision<F, T> {
    /// Nothing new: the answer follows from what is known.
    pub(crate) fn known(answer: T) -> Self {
        Self { fact: None, reply: Reply::Now(answer) }
    }

    /// Something new, answered at once.
    pub(crate) fn new(fact: F, answer: T) -> Self {
        Self { fact: Some(fact), reply: Reply::Now(answer) }
    }

    /// Something new, answered in another manner.
    pub(crate) fn replying(fact: F, reply: Reply<T>) -> Self {
        Self { fact: Some(fact), reply }
    }

    /// Nothing is decided and nobody is answered.
    pub(crate) fn silence() -> Self {
        Self { fact: None, reply: Reply::Never }
    }
}
