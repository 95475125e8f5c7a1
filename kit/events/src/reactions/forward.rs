//! Forward steps: what takes something on for whoever waits, and how it is refused.

use futures::future::BoxFuture;
use tradewind_domain::{Aggregate, Error};
use tradewind_store::Tx;

/// A reaction that takes something on for whoever waits for it, with how it is refused. An aggregate usually begins with it, under
/// the event's partition key as its id: those of a batch are looked for together.
pub struct Forward<R> {
    pub(super) reaction: R,
    pub(super) begins: &'static str,
    pub(super) refusal: Refusal,
}

pub(super) type Refusal = Box<dyn for<'a> Fn(&'a mut Tx, &'a str) -> BoxFuture<'a, Result<(), Error>> + Send + Sync>;

impl<R> Forward<R> {
    /// A reaction with which an `A` begins. When an operator gives its event up, for good, the `A` of the event's stream hears the
    /// command that `refusal` makes of its id, and so refuses whoever waits. Of the event there may be nothing left to read.
    #[must_use]
    pub fn new<A: Aggregate>(reaction: R, refusal: fn(&str) -> A::Command) -> Self {
        let refusal: Refusal = Box::new(move |tx, id| refuse::<A>(tx, id, refusal(id)));
        Self { reaction, begins: A::NAME, refusal }
    }
}

fn refuse<'a, A: Aggregate>(tx: &'a mut Tx, id: &'a str, command: A::Command) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move { tx.execute::<A>(id, command).await.map(drop) })
}
