//! What a projection is made of.

use std::collections::BTreeSet;
use std::sync::Arc;

use prost::{Message, Name};
use sea_orm::EntityTrait;
use tradewind_domain::{Aggregate, Error};
use tradewind_events::{Reaction, Reactions, Received};
use tradewind_store::Loaded;

use crate::maker::{Beside, Maker, On, Showing};
use crate::sink::Sending;
use crate::{Sink, Slot, Writer};

/// A read model: rows that a function makes of events, of which there can be made the same again.
pub struct Projection {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) tables: Vec<&'static str>,
    pub(crate) makers: Vec<Arc<dyn Maker>>,
    pub(crate) sink: Option<Arc<dyn Sink>>,
    consumers: [&'static str; 2],
}

impl Projection {
    /// One without rows yet. `name` names it and its cursors, and must stay the same for ever; `version` is 1 at first, and raised by
    /// whoever changes what its rows say: it is then built anew.
    #[must_use]
    pub fn new(name: &'static str, version: u32) -> Self {
        // A process makes each once.
        let consumers = [name, Box::leak(Slot::Second.consumer(name).into_boxed_str())];
        Self { name, version, tables: Vec::new(), makers: Vec::new(), sink: None, consumers }
    }

    /// With rows in the table of `E`, which is [there twice](crate::create_in).
    #[must_use]
    pub fn table<E: EntityTrait>(mut self) -> Self {
        self.tables.push(E::default().table_name());
        self
    }

    /// With rows outside of the database: whatever [`on`](Self::on) sends is written there before the cursor moves past its event, and
    /// may be written again.
    #[must_use]
    pub fn sink(mut self, sink: Arc<dyn Sink>) -> Self {
        self.sink = Some(sink);
        self
    }

    /// With rows that say how each `A` stands: `show` puts those of an id after every event of it but the informative ones. Of several events
    /// that are read together, it may be called for the last one alone.
    #[must_use]
    pub fn showing<A: Aggregate>(
        mut self,
        show: impl Fn(&mut Writer<'_>, &str, Loaded<A>) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.makers.push(Arc::new(Showing::new(self.name, show)));
        self
    }

    /// With rows that `record` puts for each `E`; `name` says what it does and when, as `book_on_payment_captured`. Whatever the
    /// event says is all it knows.
    #[must_use]
    pub fn on<E: Message + Name + Default + 'static>(
        self,
        name: &'static str,
        record: impl Fn(&mut Writer<'_>, &Received<E>) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.on_named(&E::full_name(), name, record)
    }

    /// The same for the events of a name, which may be known from the contracts alone: of what they say, as much as an `E` has is read,
    /// and of `()` nothing.
    #[must_use]
    pub fn on_named<E: Message + Default + 'static>(
        mut self,
        event: &str,
        name: &'static str,
        record: impl Fn(&mut Writer<'_>, &Received<E>) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.makers.push(Arc::new(On::new(event, name, record)));
        self
    }

    /// With what else follows each `E`, but rows. It is done as events come, and again where the projection is built anew: that must
    /// change nothing.
    #[must_use]
    pub fn reacting<E: Message + Name + Default + 'static>(
        mut self,
        name: &'static str,
        reaction: impl Reaction<E>,
    ) -> Self {
        self.makers.push(Arc::new(Beside::new(&E::full_name(), name, reaction)));
        self
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What keeps it, by slot.
    #[must_use]
    pub fn reactions(&self) -> [Reactions; 2] {
        [Slot::First, Slot::Second].map(|slot| {
            let none = Reactions::new(self.consumer(slot));
            let sends = self.sink.is_some();
            let kept = self.makers.iter().fold(none, |reactions, maker| Arc::clone(maker).keep(reactions, slot, sends));
            let kept = if self.only_derives() { kept.only_deriving() } else { kept };
            match &self.sink {
                Some(sink) => kept.ahead(Arc::new(Sending::new(self.makers.clone(), Arc::clone(sink), slot))),
                None => kept,
            }
        })
    }

    /// Whether its rows are all that it makes, so that nobody waits until a commit of them is on disk: they are made again.
    pub(crate) fn only_derives(&self) -> bool {
        self.makers.iter().all(|maker| maker.only_derives())
    }

    /// The consumer that keeps it in a slot.
    pub(crate) fn consumer(&self, slot: Slot) -> &'static str {
        let [first, second] = self.consumers;
        match slot {
            Slot::First => first,
            Slot::Second => second,
        }
    }

    /// The contexts whose events it is made of.
    pub(crate) fn sources(&self) -> BTreeSet<String> {
        let [first, _] = self.reactions();
        first.sources()
    }
}
