//! Aggregates as they are when a log has been read so far: each event is applied once, however many projections show them.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::mem;

use time::OffsetDateTime;
use tradewind_domain::{Aggregate, DecodeError, Error};
use tradewind_store::{AsOf, Loaded, Recorded, Store, StreamName};

/// How many streams a generation has; at most two are kept.
const GENERATION: usize = 8_192;

/// The aggregates of the streams that were read last. Those of others are loaded as they were.
#[derive(Default)]
pub(crate) struct Folded {
    young: Streams,
    old: Streams,
    /// The aggregates of which the last events are in here.
    followed: HashSet<TypeId>,
}

type Streams = HashMap<StreamName, Box<dyn Any + Send + Sync>>;

/// An aggregate, and the last of the events that were followed last after which it is shown.
struct Entry<A> {
    state: Loaded<A>,
    shown: Option<(u64, OffsetDateTime)>,
}

impl Folded {
    /// Begins with so many other events. What is followed of them all stays young.
    pub(crate) fn turn(&mut self, events: usize) {
        self.followed.clear();
        if self.young.len() + events > GENERATION {
            self.old = mem::take(&mut self.young);
        }
    }

    /// Applies those of the events that are an `A`'s. It is shown after events of `types`.
    pub(crate) async fn follow<A: Aggregate>(
        &mut self,
        store: &Store,
        types: &[String],
        events: &[Recorded],
    ) -> Result<(), Error> {
        if self.followed.contains(&TypeId::of::<A>()) {
            return Ok(());
        }
        for event in events.iter().filter(|event| event.stream.aggregate() == A::NAME) {
            let Entry { mut state, mut shown } = match self.take::<A>(&event.stream) {
                Some(entry) => entry,
                None if event.version == 1 => Entry { state: Loaded::default(), shown: None },
                None => Entry { state: load::<A>(store, event, event.version - 1).await?, shown: None },
            };
            match state.follow(event) {
                Ok(true) => {}
                // Whether one that is not known may be passed over is for whoever loads it to say.
                Ok(false) | Err(DecodeError::UnknownType(_)) => state = load(store, event, event.version).await?,
                Err(malformed) => return Err(Error::internal(malformed)),
            }
            if types.contains(&event.type_name) {
                shown = Some((event.version, event.time));
            }
            self.young.insert(event.stream.clone(), Box::new(Entry { state, shown }));
        }
        // Where that fails, it fails for whoever else shows them.
        self.followed.insert(TypeId::of::<A>());
        Ok(())
    }

    /// The aggregate as it is to be shown after an event, unless it is shown after a later one as well.
    pub(crate) fn shown<A: Aggregate>(&self, event: &Recorded) -> Option<Loaded<A>> {
        let Entry { state, shown } = self.young.get(&event.stream)?.downcast_ref::<Entry<A>>()?;
        let (version, updated) = shown.filter(|(version, _)| *version == event.version)?;
        Some(Loaded { version, updated, ..state.clone() })
    }

    fn take<A: Aggregate>(&mut self, stream: &StreamName) -> Option<Entry<A>> {
        let entry = self.young.remove(stream).or_else(|| self.old.remove(stream))?;
        entry.downcast::<Entry<A>>().ok().map(|entry| *entry)
    }
}

/// The aggregate of an event's stream as it was at a version.
async fn load<A: Aggregate>(store: &Store, event: &Recorded, version: u64) -> Result<Loaded<A>, Error> {
    store.load_as_of(event.stream.id(), AsOf::Version(version)).await
}
