//! What a reaction is: a function, or a type where a function has too little at hand.

use std::future::ready;

use tradewind_domain::Error;
use tradewind_store::Tx;

use super::Received;

/// What follows an event of another context. An `async fn(&mut Tx, &Received<E>)` is one; so is a
/// type that implements it, where a function would have too little at hand.
///
/// It runs in the transaction that moves the reader's cursor past the event, so its effects happen exactly once; it only
/// writes the database. The kind of its error decides: a transient one is tried again, any other parks the event's stream.
pub trait Reaction<E>: Send + Sync + 'static {
    /// Does what follows the event.
    ///
    /// # Errors
    /// Whatever the service's rules say; see above for what each kind leads to.
    fn react(&self, tx: &mut Tx, event: &Received<E>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Whether there is anything to [`prepare`](Self::prepare).
    const PREPARES: bool = false;

    /// Reads what reacting to all these events is going to need, which are those of one transaction, before the first is reacted
    /// to. It is an economy: whoever reacts reads for itself what it does not find.
    ///
    /// # Errors
    /// As those of [`react`](Self::react).
    fn prepare(&self, tx: &mut Tx, events: &[Received<E>]) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (tx, events);
        ready(Ok(()))
    }
}

impl<E: Send + Sync, F: for<'a> Reacting<'a, Received<E>>> Reaction<E> for F {
    async fn react(&self, tx: &mut Tx, event: &Received<E>) -> Result<(), Error> {
        self.start(tx, event).await
    }
}

/// A function whose future borrows what it is given, which a bound on [`Fn`] alone cannot say.
pub trait Reacting<'a, T: ?Sized>: Send + Sync + 'static {
    type Future: Future<Output = Result<(), Error>> + Send + 'a;

    fn start(&self, tx: &'a mut Tx, to: &'a T) -> Self::Future;
}

impl<'a, T: ?Sized + 'a, F, R> Reacting<'a, T> for F
where
    F: Fn(&'a mut Tx, &'a T) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), Error>> + Send + 'a,
{
    type Future = R;

    fn start(&self, tx: &'a mut Tx, to: &'a T) -> R {
        self(tx, to)
    }
}
