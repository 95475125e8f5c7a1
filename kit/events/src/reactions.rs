//! What a service does about events, declared by type: the registry behind every reader.

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::BoxFuture;
use opentelemetry::KeyValue;
use prost::{Message, Name};
use time::OffsetDateTime;
use tracing::Instrument;
use tradewind_domain::{Error, ErrorKind};
use uuid::Uuid;

use crate::fault::{self, Point};
use crate::metrics::metrics;
use crate::{Metadata, Recorded, StreamName, Tx, trace};

/// What follows an event of another context, or how it changes a read model.
///
/// It runs in the transaction that moves the reader's cursor past the event, so its effects happen exactly once; it only
/// writes the database. The kind of its error decides: a transient one is tried again, any other parks the event's stream.
pub trait Reaction: Send + Sync + 'static {
    /// The event.
    type Event: Message + Name + Default;
    /// The reaction's name as the contract declares it: what it does and when, e.g. `release_on_order_cancelled`.
    const NAME: &'static str;
    /// The name of the aggregate that usually begins with this reaction, under the event's partition key as its id: those of a
    /// batch are looked for together.
    const BEGINS: Option<&'static str> = None;

    /// Does what follows the event.
    ///
    /// # Errors
    /// Whatever the service's rules say; see above for what each kind leads to.
    fn react(&self, tx: &mut Tx, event: &Received<Self::Event>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Settles what waits for this reaction when an operator gives its event up, for good: whoever asked for something is refused
    /// it. Where nobody waits, nothing is to be done; where no refusal would settle it, the event [`must_be_replayed`]. Of the
    /// event there may be nothing left to read but the `stream` it belongs to.
    ///
    /// # Errors
    /// `Rejected` where the event may not be given up; whatever else the service's rules say.
    fn give_up(&self, tx: &mut Tx, stream: &StreamName) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Why what an operator gave up was refused, in the events that say so.
pub const GIVEN_UP: &str = "DISCARDED_BY_OPERATOR";

/// The answer of a [reaction](Reaction::give_up), by its name, whose event may not be given up.
#[must_use]
pub fn must_be_replayed(reaction: &'static str) -> Error {
    let text = format!(
        "others wait for {reaction}, and no refusal would settle what they wait for: mend what its error names, and replay the event"
    );
    Error::new(ErrorKind::Rejected, "MUST_BE_REPLAYED", text)
}

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

/// The reactions of one consumer.
pub struct Reactions {
    consumer: &'static str,
    by_type: HashMap<String, Vec<Registered>>,
}

/// One reaction with its type erased.
struct Registered {
    name: &'static str,
    begins: Option<&'static str>,
    attributes: [KeyValue; 2],
    reaction: Box<dyn Erased>,
}

impl Reactions {
    /// No reactions yet; `consumer` names their cursors and must stay the same for ever.
    #[must_use]
    pub fn new(consumer: &'static str) -> Self {
        Self { consumer, by_type: HashMap::new() }
    }

    /// With one more reaction; several to one event run in the order of this call.
    #[must_use]
    pub fn on<R: Reaction>(mut self, reaction: R) -> Self {
        let type_name = R::Event::full_name();
        let short = type_name.rsplit('.').next().unwrap_or_default().to_owned();
        let attributes = [KeyValue::new("consumer", self.consumer), KeyValue::new("event", short)];
        let registered = Registered { name: R::NAME, begins: R::BEGINS, attributes, reaction: Box::new(reaction) };
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
            .collect();
        declared.sort();
        declared
    }

    pub(crate) fn consumer(&self) -> &'static str {
        self.consumer
    }

    /// The contexts whose logs are read for these reactions.
    pub(crate) fn sources(&self) -> BTreeSet<String> {
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

    /// Runs every reaction to an event within `tx`, each in a span of the event's trace; one that panics has failed.
    pub(crate) async fn react(&self, tx: &mut Tx, event: &Recorded) -> Result<(), Error> {
        fault::note(tx, self.consumer, event).await?;
        for Registered { name, reaction, .. } in self.to(&event.type_name) {
            let span = tracing::info_span!(
                "react", otel.name = format!("react {name}"), otel.kind = "consumer", reaction = name,
                event = event.type_name, stream = %event.stream, position = event.position
            );
            trace::continue_from(&span, &event.metadata.traceparent);
            tx.set_cause(caused_by(event, trace::traceparent(&span, &event.metadata.traceparent)));
            let reacting = AssertUnwindSafe(reaction.react(tx, event)).catch_unwind().instrument(span);
            reacting.await.unwrap_or_else(|_| Err(Error::internal(format!("{name} panicked"))))?;
            fault::hit(Point::Reacted, name);
        }
        Ok(())
    }

    /// Settles what waits for the reactions to an event that is given up.
    ///
    /// # Errors
    /// That of the first that may not be given up.
    pub(crate) async fn give_up(&self, tx: &mut Tx, event: &Recorded) -> Result<(), Error> {
        tx.set_cause(caused_by(event, event.metadata.traceparent.clone()));
        for Registered { reaction, .. } in self.to(&event.type_name) {
            reaction.give_up(tx, &event.stream).await?;
        }
        Ok(())
    }

    /// Counts an event whose effects are committed.
    pub(crate) fn count_handled(&self, event: &Recorded) {
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

trait Erased: Send + Sync {
    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Recorded) -> BoxFuture<'a, Result<(), Error>>;
    fn give_up<'a>(&'a self, tx: &'a mut Tx, stream: &'a StreamName) -> BoxFuture<'a, Result<(), Error>>;
}

impl<R: Reaction> Erased for R {
    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Recorded) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let received = receive::<R::Event>(event)?;
            Reaction::react(self, tx, &received).await
        })
    }

    fn give_up<'a>(&'a self, tx: &'a mut Tx, stream: &'a StreamName) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(Reaction::give_up(self, tx, stream))
    }
}

fn receive<E: Message + Default>(event: &Recorded) -> Result<Received<E>, Error> {
    let data = E::decode(event.payload.as_slice()).map_err(|cause| {
        Error::new(ErrorKind::Invalid, "EVENT_UNDECODABLE", format!("{}: {cause}", event.type_name))
    })?;
    Ok(Received {
        data,
        id: event.id,
        stream: event.stream.clone(),
        version: event.version,
        partition: event.partition,
        position: event.position,
        time: event.time,
        metadata: event.metadata.clone(),
    })
}

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    use super::*;

    struct Nothing<E>(PhantomData<fn() -> E>);

    impl<E: Message + Name + Default + 'static> Reaction for Nothing<E> {
        type Event = E;
        const NAME: &'static str = "do_nothing";
        async fn react(&self, _: &mut Tx, _: &Received<E>) -> Result<(), Error> {
            Ok(())
        }

        async fn give_up(&self, _: &mut Tx, _: &StreamName) -> Result<(), Error> {
            Ok(())
        }
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Placed {}

    impl Name for Placed {
        const NAME: &'static str = "OrderPlaced";
        const PACKAGE: &'static str = "tradewind.ordering.v1";
    }

    #[test]
    fn the_source_of_an_event_is_its_context() {
        let reactions = Reactions::new("payment").on(Nothing::<Placed>(PhantomData));
        assert_eq!(reactions.sources().into_iter().collect::<Vec<_>>(), ["ordering"]);
        assert_eq!(reactions.declared(), [("tradewind.ordering.v1.OrderPlaced".to_owned(), "do_nothing")]);
        assert!(reactions.is_declared("tradewind.ordering.v1.OrderPlaced"));
        assert!(reactions.to("tradewind.ordering.v1.OrderShipped").is_empty());
    }
}
