//! What a service does about events, declared by type: the registry behind every reader.

mod ahead;
mod erased;
mod forward;
mod reaction;
mod showing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use opentelemetry::KeyValue;
use prost::{Message, Name};
use time::OffsetDateTime;
use tradewind_domain::{Error, ErrorKind};
use tradewind_fault::{Point, hit};
use tradewind_store::{Metadata, Recorded, StreamName, Tx};
use uuid::Uuid;

pub use self::ahead::Ahead;
use self::erased::{Erased, handles, message, received};
pub use self::forward::Forward;
use self::forward::Refusal;
use self::reaction::Reacting;
pub use self::reaction::Reaction;
use crate::fault;
use crate::metrics::metrics;
use crate::told;

/// Why what an operator gave up was refused, in the events that say so.
pub const GIVEN_UP: &str = "DISCARDED_BY_OPERATOR";

/// An event as a reaction sees it.
#[derive(Clone, Debug)]
pub struct Received<E> {
    /// The message.
    pub data: E,
    /// The event's id.
    pub id: Uuid,
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Its version in the stream; the first is 1.
    pub version: u64,
    /// The partition of its owner's log.
    pub partition: u16,
    /// Its position in that partition.
    pub position: u64,
    /// When its owner recorded it.
    pub time: OffsetDateTime,
    /// What caused it, and which order or other matter it is about.
    pub metadata: Metadata,
}

impl<E: Message + Default> Received<E> {
    /// The event as it was recorded.
    ///
    /// # Errors
    /// `Invalid` with reason `EVENT_UNDECODABLE`.
    pub fn of(event: &Recorded) -> Result<Self, Error> {
        Ok(received(message(event)?, event))
    }
}

/// The reactions of one consumer.
pub struct Reactions {
    consumer: &'static str,
    /// Whose consumers at the broker it reads by.
    reader: &'static str,
    by_type: HashMap<String, Vec<Registered>>,
    /// Declared, and left out.
    left_out: Vec<(String, &'static str)>,
    ahead: Option<Arc<dyn Ahead>>,
    /// They make rows alone, which can be made again from the log.
    pub(crate) derives: bool,
}

/// One reaction with its types erased.
struct Registered {
    name: &'static str,
    begins: Option<&'static str>,
    given_up: GivenUp,
    attributes: [KeyValue; 2],
    reaction: Arc<dyn Erased>,
}

/// What is settled when an operator gives the event of a reaction up.
enum GivenUp {
    /// Nothing: nobody waits for it.
    Nothing,
    /// Others wait, and no refusal would settle what they wait for.
    MustBeReplayed,
    Refused(Refusal),
}

impl Reactions {
    /// No reactions yet; `consumer` names their cursors and must stay the same for ever.
    #[must_use]
    pub fn new(consumer: &'static str) -> Self {
        Self { consumer, reader: consumer, by_type: HashMap::new(), left_out: Vec::new(), ahead: None, derives: false }
    }

    /// Read by the consumers that the broker has for `reader`, who has to be one: those of the same name unless told otherwise. Two that
    /// read at the same time must not share them: each would be given about half of the events, and ask the owner for the others.
    #[must_use]
    pub fn reading_as(self, reader: &'static str) -> Self {
        Self { reader, ..self }
    }

    /// They make nothing but rows, the same each time: where a commit of theirs is lost, its events are read again, and nobody has to
    /// wait until it is on disk.
    #[must_use]
    pub fn only_deriving(self) -> Self {
        Self { derives: true, ..self }
    }

    /// With one more reaction, which only records or tells: when its event is given up, nothing is left to be done. Several to one
    /// event run in the order of these calls; `name` says what one does and when, as `note_on_order_placed`.
    #[must_use]
    pub fn on<E: Message + Name + Default + 'static>(self, name: &'static str, reaction: impl Reaction<E>) -> Self {
        self.on_named(&E::full_name(), name, reaction)
    }

    /// The same for the events of a name, of which it is read what an `E` has: of `()`, whatever they say, none of it.
    #[must_use]
    pub fn on_named<E: Message + Default + 'static>(
        self,
        event: &str,
        name: &'static str,
        reaction: impl Reaction<E>,
    ) -> Self {
        self.with(event.to_owned(), name, &handles(message::<E>, reaction), GivenUp::Nothing, None)
    }

    /// With one more reaction, for which others wait: its event may not be given up.
    #[must_use]
    pub fn owed<E: Message + Name + Default + 'static>(self, name: &'static str, reaction: impl Reaction<E>) -> Self {
        self.with(E::full_name(), name, &handles(message::<E>, reaction), GivenUp::MustBeReplayed, None)
    }

    /// With one more reaction, which takes something on.
    #[must_use]
    pub fn forward<E, R>(self, name: &'static str, forward: Forward<R>) -> Self
    where
        E: Message + Name + Default + 'static,
        R: Reaction<E>,
    {
        let Forward { reaction, begins, refusal } = forward;
        self.with(E::full_name(), name, &handles(message::<E>, reaction), GivenUp::Refused(refusal), Some(begins))
    }

    /// Without those that this process has no use for, by their names: an event that only they react to is passed over like one that
    /// nobody has declared. They are declared all the same.
    #[must_use]
    pub fn without(mut self, has_no_use_for: impl Fn(&str) -> bool) -> Self {
        for (type_name, reactions) in &mut self.by_type {
            let left_out = reactions.extract_if(.., |reaction| has_no_use_for(reaction.name));
            self.left_out.extend(left_out.map(|reaction| (type_name.clone(), reaction.name)));
        }
        self.by_type.retain(|_, reactions| !reactions.is_empty());
        self
    }

    fn with(
        mut self,
        type_name: String,
        name: &'static str,
        reaction: &Arc<dyn Erased>,
        given_up: GivenUp,
        begins: Option<&'static str>,
    ) -> Self {
        let short = type_name.rsplit('.').next().unwrap_or_default().to_owned();
        let attributes = [KeyValue::new("consumer", self.consumer), KeyValue::new("event", short)];
        let registered = Registered { name, begins, given_up, attributes, reaction: Arc::clone(reaction) };
        self.by_type.entry(type_name).or_default().push(registered);
        self
    }

    /// Every event reacted to, by its full protobuf name, with the name of the reaction.
    #[must_use]
    pub fn declared(&self) -> Vec<(String, &'static str)> {
        let mut declared: Vec<_> = self
            .by_type
            .iter()
            .flat_map(|(type_name, reactions)| reactions.iter().map(|reaction| (type_name.clone(), reaction.name)))
            .chain(self.left_out.iter().cloned())
            .collect();
        declared.sort();
        declared
    }

    #[must_use]
    pub fn consumer(&self) -> &'static str {
        self.consumer
    }

    /// By whose consumers at the broker it reads.
    #[must_use]
    pub fn reader(&self) -> &'static str {
        self.reader
    }

    /// The contexts whose logs are read for these reactions.
    #[must_use]
    pub fn sources(&self) -> BTreeSet<String> {
        self.by_type.keys().filter_map(|type_name| source_of(type_name)).map(ToOwned::to_owned).collect()
    }

    pub(crate) fn is_declared(&self, type_name: &str) -> bool {
        self.by_type.contains_key(type_name)
    }

    /// The streams that usually begin with these events.
    pub(crate) fn begun_by<'a>(&'a self, events: &'a [Recorded]) -> impl Iterator<Item = StreamName> + 'a {
        let begun = |event: &'a Recorded| {
            let aggregates = self.to(&event.type_name).iter().filter_map(|registered| registered.begins);
            aggregates.map(|name| StreamName::from(format!("{name}-{}", event.metadata.partition_key)))
        };
        events.iter().flat_map(begun)
    }

    /// Lets reactions to several of these events read together what they need.
    pub(crate) async fn prepare(&self, tx: &mut Tx, events: &[Recorded]) -> Result<(), Error> {
        for (type_name, registered) in &self.by_type {
            for Registered { name, reaction, .. } in
                registered.iter().filter(|registered| registered.reaction.prepares())
            {
                let theirs: Vec<_> = events.iter().filter(|event| event.type_name == *type_name).collect();
                if theirs.len() > 1 {
                    let preparing = AssertUnwindSafe(reaction.prepare(tx, &theirs)).catch_unwind();
                    preparing.await.unwrap_or_else(|_| Err(Error::internal(format!("{name} panicked"))))?;
                }
            }
        }
        Ok(())
    }

    /// Runs every reaction to an event within `tx`, each in a span of the event's trace; one that panics has failed.
    pub async fn react(&self, tx: &mut Tx, event: &Recorded) -> Result<(), Error> {
        fault::note(tx, self.consumer, event).await?;
        for Registered { name, reaction, .. } in self.to(&event.type_name) {
            let part = told::processing(self.consumer, name, event);
            tx.set_cause(caused_by(event, part.traceparent(&event.metadata.traceparent)));
            let reacting = part.within(AssertUnwindSafe(reaction.react(tx, event)).catch_unwind());
            let reacted = reacting.await.unwrap_or_else(|_| Err(Error::internal(format!("{name} panicked"))));
            reacted.inspect_err(|error| part.fails(error.reason))?;
            hit(Point::Reacted, name);
        }
        Ok(())
    }

    /// Settles what waits for the reactions to an event that is given up, of which there may be nothing left to read but its stream.
    ///
    /// # Errors
    /// That of the first that may not be given up.
    pub async fn give_up(&self, tx: &mut Tx, event: &Recorded) -> Result<(), Error> {
        tx.set_cause(caused_by(event, event.metadata.traceparent.clone()));
        for Registered { name, given_up, .. } in self.to(&event.type_name) {
            match given_up {
                GivenUp::Nothing => {}
                GivenUp::MustBeReplayed => return Err(must_be_replayed(name)),
                GivenUp::Refused(refuse) => refuse(tx, event.stream.id()).await?,
            }
        }
        Ok(())
    }

    /// Counts an event whose effects are committed.
    pub fn count_handled(&self, event: &Recorded) {
        for registered in self.to(&event.type_name) {
            metrics().reader_handled.add(1, &registered.attributes);
        }
    }

    fn to(&self, type_name: &str) -> &[Registered] {
        self.by_type.get(type_name).map_or(&[], Vec::as_slice)
    }
}

fn caused_by(event: &Recorded, traceparent: String) -> Metadata {
    Metadata {
        correlation: event.metadata.correlation.clone(),
        causation: event.id.to_string(),
        traceparent,
        partition_key: event.metadata.partition_key.clone(),
    }
}

/// The context that owns an event: the second segment of its full name, `tradewind.<context>.v1.<Event>`.
fn source_of(type_name: &str) -> Option<&str> {
    type_name.split('.').nth(1)
}

fn must_be_replayed(reaction: &str) -> Error {
    let text = format!(
        "others wait for {reaction}, and no refusal would settle what they wait for: mend what its error names, and replay the event"
    );
    Error::new(ErrorKind::Rejected, "MUST_BE_REPLAYED", text)
}
