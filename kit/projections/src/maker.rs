//! How rows are made of events: one by one while a projection is kept, and many together while it is built.

use std::marker::PhantomData;
use std::sync::Arc;

use futures::future::{BoxFuture, ready};
use prost::Message;
use tradewind_domain::{Aggregate, Error, EventSet};
use tradewind_events::{Reaction, Reactions, Received};
use tradewind_store::{Loaded, Recorded, Store, Tx};

use crate::fold::Folded;
use crate::{Batch, Slot, Writer};

/// One function of a projection, with its types erased.
pub(crate) trait Maker: Send + Sync + 'static {
    /// With what makes the rows of a slot as events come; where the projection has a sink, the lines `sends` there were sent ahead.
    fn keep(self: Arc<Self>, reactions: Reactions, slot: Slot, sends: bool) -> Reactions;

    /// Brings what [`make`](Self::make) needs up to the last of these events, which follow one another in a log.
    fn fold<'a>(&'a self, _: &'a Store, _: &'a mut Folded, _: &'a [Recorded]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(ready(Ok(())))
    }

    /// Makes the rows of one of the events that were folded last.
    fn make(&self, writer: &mut Writer<'_>, folded: &Folded, event: &Recorded) -> Result<(), Error>;

    /// Whether rows are all it makes, the same each time.
    fn only_derives(&self) -> bool {
        true
    }

    /// Does what else follows an event, if anything does.
    fn react<'a>(&'a self, _: &'a mut Tx, _: &'a Recorded) -> Option<BoxFuture<'a, Result<(), Error>>> {
        None
    }
}

type Show<A> = dyn Fn(&mut Writer<'_>, &str, Loaded<A>) -> Result<(), Error> + Send + Sync;

/// Shows how each `A` stands.
pub(crate) struct Showing<A> {
    name: &'static str,
    types: Vec<String>,
    show: Box<Show<A>>,
}

impl<A: Aggregate> Showing<A> {
    pub(crate) fn new(
        name: &'static str,
        show: impl Fn(&mut Writer<'_>, &str, Loaded<A>) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        Self { name, types: A::Event::type_names(), show: Box::new(show) }
    }
}

impl<A: Aggregate> Maker for Showing<A> {
    fn keep(self: Arc<Self>, reactions: Reactions, slot: Slot, _: bool) -> Reactions {
        let name = self.name;
        let show = move |tx: &mut Tx, id: &str, state| (self.show)(&mut Writer::new(tx.rows(), slot), id, state);
        reactions.showing::<A>(name, show)
    }

    fn fold<'a>(
        &'a self,
        store: &'a Store,
        folded: &'a mut Folded,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(folded.follow::<A>(store, &self.types, events))
    }

    fn make(&self, writer: &mut Writer<'_>, folded: &Folded, event: &Recorded) -> Result<(), Error> {
        match folded.shown::<A>(event) {
            Some(state) => (self.show)(writer, event.stream.id(), state),
            None => Ok(()),
        }
    }
}

/// Records each `E`.
pub(crate) struct On<E, F> {
    name: &'static str,
    type_name: String,
    record: F,
    event: PhantomData<fn() -> E>,
}

impl<E, F> On<E, F>
where
    E: Message + Default + 'static,
    F: Fn(&mut Writer<'_>, &Received<E>) -> Result<(), Error> + Send + Sync + 'static,
{
    pub(crate) fn new(event: &str, name: &'static str, record: F) -> Self {
        Self { name, type_name: event.to_owned(), record, event: PhantomData }
    }
}

impl<E, F> Maker for On<E, F>
where
    E: Message + Default + 'static,
    F: Fn(&mut Writer<'_>, &Received<E>) -> Result<(), Error> + Send + Sync + 'static,
{
    fn keep(self: Arc<Self>, reactions: Reactions, slot: Slot, sends: bool) -> Reactions {
        reactions.on_named(&self.type_name, self.name, Keeps { on: Arc::clone(&self), slot, sends })
    }

    fn make(&self, writer: &mut Writer<'_>, _: &Folded, event: &Recorded) -> Result<(), Error> {
        if event.type_name == self.type_name { (self.record)(writer, &Received::of(event)?) } else { Ok(()) }
    }
}

struct Keeps<E, F> {
    on: Arc<On<E, F>>,
    slot: Slot,
    sends: bool,
}

impl<E, F> Reaction<E> for Keeps<E, F>
where
    E: Message + Default + 'static,
    F: Fn(&mut Writer<'_>, &Received<E>) -> Result<(), Error> + Send + Sync + 'static,
{
    async fn react(&self, tx: &mut Tx, event: &Received<E>) -> Result<(), Error> {
        // Its lines were sent ahead; that it makes them is what a rehearsal finds out.
        let mut sent = Batch::default();
        let writer = Writer::new(tx.rows(), self.slot);
        (self.on.record)(&mut if self.sends { writer.sending(&mut sent) } else { writer }, event)
    }
}

/// Does what else follows each `E`, and makes no rows of it.
pub(crate) struct Beside<E, R> {
    name: &'static str,
    type_name: String,
    reaction: Arc<R>,
    event: PhantomData<fn() -> E>,
}

impl<E, R> Beside<E, R> {
    pub(crate) fn new(event: &str, name: &'static str, reaction: R) -> Self {
        Self { name, type_name: event.to_owned(), reaction: Arc::new(reaction), event: PhantomData }
    }
}

impl<E: Message + Default + 'static, R: Reaction<E>> Maker for Beside<E, R> {
    fn keep(self: Arc<Self>, reactions: Reactions, _: Slot, _: bool) -> Reactions {
        reactions.on_named::<E>(&self.type_name, self.name, Shared(Arc::clone(&self.reaction)))
    }

    fn make(&self, _: &mut Writer<'_>, _: &Folded, _: &Recorded) -> Result<(), Error> {
        Ok(())
    }

    fn only_derives(&self) -> bool {
        false
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Recorded) -> Option<BoxFuture<'a, Result<(), Error>>> {
        let reacting = async move { self.reaction.react(tx, &Received::of(event)?).await };
        (event.type_name == self.type_name).then(|| Box::pin(reacting) as _)
    }
}

struct Shared<R>(Arc<R>);

impl<E: Send + Sync, R: Reaction<E>> Reaction<E> for Shared<R> {
    async fn react(&self, tx: &mut Tx, event: &Received<E>) -> Result<(), Error> {
        self.0.react(tx, event).await
    }
}
