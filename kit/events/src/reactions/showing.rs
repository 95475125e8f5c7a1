//! Reactions that show how each aggregate of one kind stands.

use std::sync::Arc;

use futures::future::BoxFuture;
use tradewind_domain::{Aggregate, Error, EventSet};
use tradewind_store::{Loaded, Recorded, Tx};

use super::erased::Erased;
use super::{GivenUp, Reactions};

impl Reactions {
    /// With one that shows each `A` after every event of it but the informative ones, which a build before would pass over: `show`
    /// writes, with the commit, how the `A` of an id stands.
    ///
    /// The state may be further than the event, as this process last saw it. It is said to be of the event's version and time, so
    /// that each later event brings its own.
    #[must_use]
    pub fn showing<A: Aggregate>(
        self,
        name: &'static str,
        show: impl Fn(&mut Tx, &str, Loaded<A>) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        let shows: Arc<dyn Erased> = Arc::new(Shows(Box::new(show)));
        let with = |all: Self, event| all.with(event, name, &shows, GivenUp::Nothing, None);
        A::Event::type_names().into_iter().fold(self, with)
    }
}

type Show<A> = dyn Fn(&mut Tx, &str, Loaded<A>) -> Result<(), Error> + Send + Sync;

struct Shows<A>(Box<Show<A>>);

impl<A: Aggregate> Erased for Shows<A> {
    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Recorded) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let found = tx.load_since::<A>(event.stream.id(), event.version).await?;
            (self.0)(tx, event.stream.id(), Loaded { version: event.version, updated: event.time, ..found })
        })
    }
}
