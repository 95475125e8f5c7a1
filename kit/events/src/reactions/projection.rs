//! Read models of a context's own events: how each aggregate of one kind stands, or what follows from single events.

use std::sync::Arc;

use futures::future::BoxFuture;
use prost::{Message, Name};
use tradewind_domain::{Aggregate, Error, EventSet};
use tradewind_store::{Loaded, Recorded, Tx};

use super::erased::Erased;
use super::{GivenUp, Reaction, Reactions};

/// A read model of a context's own events.
pub struct Projection(Reactions);

impl Projection {
    /// Shows nothing yet; `consumer` names the cursors and must stay the same for ever.
    #[must_use]
    pub fn new(consumer: &'static str) -> Self {
        Self(Reactions::new(consumer))
    }

    /// With what follows from each event of one type by itself, under a name, as [`Reactions::on`] says. It writes the same rows
    /// however often it is read.
    #[must_use]
    pub fn on<E: Message + Name + Default + 'static>(self, name: &'static str, shows: impl Reaction<E>) -> Self {
        Self(self.0.on(name, shows))
    }

    /// Shows each `A` after every event of it but the informative ones, which a build before would pass over: `show` writes, with the
    /// commit, how the `A` stands. `consumer` names the cursors and must stay the same for ever.
    ///
    /// The state may be further than the event, as this process last saw it. It is said to be of the event's version and time, so
    /// that each later event brings its own.
    #[must_use]
    pub fn of<A: Aggregate>(
        consumer: &'static str,
        show: impl Fn(&mut Tx, Loaded<A>) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        let shows: Arc<dyn Erased> = Arc::new(Shows(Box::new(show)));
        let with = |all: Reactions, event| all.with(event, consumer, &shows, GivenUp::Nothing, None);
        Self(A::Event::type_names().into_iter().fold(Reactions::new(consumer), with))
    }
}

impl From<Projection> for Reactions {
    fn from(Projection(reactions): Projection) -> Self {
        reactions
    }
}

type Show<A> = dyn Fn(&mut Tx, Loaded<A>) -> Result<(), Error> + Send + Sync;

struct Shows<A>(Box<Show<A>>);

impl<A: Aggregate> Erased for Shows<A> {
    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Recorded) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let found = tx.load_since::<A>(event.stream.id(), event.version).await?;
            (self.0)(tx, Loaded { version: event.version, updated: event.time, ..found })
        })
    }
}
