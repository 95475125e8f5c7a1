//! Forward steps: what takes something on for whoever waits, and how it is refused.

use futures::future::BoxFuture;
use tradewind_domain::{Aggregate, Error};
use tradewind_store::Tx;

use super::Reacting;

/// A reaction that takes something on for whoever waits for it, with how it is refused. An aggregate usually begins with it, under
/// the event's partition key as its id: those of a batch are looked for together.
pub struct Forward<R> {
    pub(super) reaction: R,
    pub(super) begins: &'static str,
    pub(super) refusal: Refusal,
}

pub(super) type Refusal = Box<dyn for<'a> Fn(&'a mut Tx, &'a str) -> BoxFuture<'a, Result<(), Error>> + Send + Sync>;

impl<R> Forward<R> {
    /// A reaction with which an `A` begins. When an operator gives its event up, for good, `refuse` has the `A` of the event's stream
    /// refuse whoever waits; it is told its id. Of the event there may be nothing left to read.
    #[must_use]
    pub fn new<A: Aggregate>(reaction: R, refuse: impl for<'a> Reacting<'a, str>) -> Self {
        Self { reaction, begins: A::NAME, refusal: Box::new(move |tx, id| Box::pin(refuse.start(tx, id))) }
    }
}
