//! Calls to the outside: what a reaction intended is called outside any transaction, with a key that is the same on every
//! attempt, until there is an answer; the answer is settled in the transaction that deletes the intent.
//!
//! No answer is never a refusal. An intent is never given up: the claim of a process that dies at any point of this another takes
//! up as soon as the roster knows, or when it lapses. A database file has one process, whose claims are in its memory and end with
//! it, unless it is not sure that it can write. While nobody answers, single probes are made.

mod held;
mod pace;
mod settle;
#[cfg(test)]
mod simulation;
mod worker;

use std::future::ready;

use tradewind_domain::Error;
use tradewind_store::Tx;

use super::queue::Intent;
pub use worker::Worker;

/// A kind of call to the outside, and what its answers lead to.
pub trait IntentHandler: Send + Sync + 'static {
    /// The kind under which [`intend`](crate::intend) writes these intents.
    const KIND: &'static str;
    /// An answer, favourable or not.
    type Outcome: Send + Sync + 'static;

    /// Calls, outside any transaction, with an idempotency key made of the intent's key and action.
    ///
    /// # Errors
    /// [`Unknown`] when there is no answer; the call is made again with the same key.
    fn call(&self, intent: &Intent) -> impl Future<Output = Result<Self::Outcome, Unknown>> + Send;

    /// Whether this build can make the call at all. One that it cannot make, because a later build has written it, says nothing about
    /// whoever is called: it counts as an attempt, and the circuit does not hear of it.
    fn knows(&self, _: &Intent) -> bool {
        true
    }

    /// Records the answer, in the transaction that deletes the intent. When the intent was replaced or withdrawn in the
    /// meantime, its answer is dropped: this is not called, or what it did is undone. So what others are told of it waits for
    /// [`Tx::after`].
    ///
    /// # Errors
    /// A transient error is tried again at once, any other slowly: the call is repeated.
    fn settle(
        &self,
        tx: &mut Tx,
        intent: &Intent,
        outcome: &Self::Outcome,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Records that no call is made because whom it is about is erased, in the transaction that deletes the intent, of which nobody
    /// knows the payload any more.
    ///
    /// # Errors
    /// Any error leaves the intent, and it is tried again.
    fn erased(&self, tx: &mut Tx, intent: &Intent) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (tx, intent);
        ready(Ok(()))
    }
}

/// There was no answer, so nobody knows whether the call took effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer: {0}")]
pub struct Unknown(pub String);
