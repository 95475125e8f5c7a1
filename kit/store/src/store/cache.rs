//! Aggregates as they were last seen, so that a command on one in use needs no read.
//!
//! Only committed states belong here. A stale one does no harm: the append it leads to violates the event's key, and the
//! entry is evicted. What decides without appending must not trust it where other processes write too.

use std::any::Any;
use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;
use tradewind_domain::Aggregate;

use crate::{Loaded, StreamName};

/// The fold of a stream's events, of whatever aggregate, and when the first and the last of them were appended.
#[derive(Clone)]
pub(crate) struct AnyState {
    pub(crate) state: Arc<dyn Any + Send + Sync>,
    pub(crate) created: OffsetDateTime,
    pub(crate) updated: OffsetDateTime,
}

/// An aggregate as its stream says it is, shared with the cache.
pub(crate) struct Current<A> {
    pub(crate) state: Arc<A>,
    pub(crate) version: u64,
    pub(crate) created: OffsetDateTime,
    pub(crate) updated: OffsetDateTime,
}

/// A stream's last known version, with the state where one was computed.
#[derive(Clone)]
struct Entry {
    version: u64,
    state: Option<AnyState>,
}

/// How many entries a generation has; at most two are kept.
const GENERATION: usize = 1024;

/// A bounded map in two generations: when the young one is full it becomes the old one, and what nobody asked for since
/// is forgotten.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    /// Another one after everything was forgotten.
    era: u64,
    young: HashMap<StreamName, Entry>,
    old: HashMap<StreamName, Entry>,
}

impl Cache {
    /// The state last seen, if it is an `A`.
    pub(crate) fn current<A: Send + Sync + 'static>(&self, stream: &StreamName) -> Option<Current<A>> {
        let Entry { version, state } = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(stream)?;
        Current::of(&state?, version)
    }

    /// A version that the stream has reached for certain.
    pub(crate) fn version(&self, stream: &StreamName) -> Option<u64> {
        Some(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(stream)?.version)
    }

    /// What is read from now on is of this era.
    pub(crate) fn era(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).era
    }

    /// Keeps what was committed and read in `era`, unless something newer is known or that era is over.
    pub(crate) fn put(&self, era: u64, stream: &StreamName, version: u64, state: Option<AnyState>) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.era == era && generations.get(stream).is_none_or(|known| known.version <= version) {
            generations.insert(stream.clone(), Entry { version, state });
        }
    }

    /// Forgets everything, and begins another era.
    pub(crate) fn clear(&self) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *generations = Generations { era: generations.era + 1, ..Generations::default() };
    }

    /// Forgets the stream.
    pub(crate) fn evict(&self, stream: &StreamName) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young.remove(stream);
        generations.old.remove(stream);
    }
}

impl<A> Default for Current<A>
where
    A: Default,
{
    fn default() -> Self {
        let never = OffsetDateTime::UNIX_EPOCH;
        Self { state: Arc::default(), version: 0, created: never, updated: never }
    }
}

impl<A: Send + Sync + 'static> Current<A> {
    /// The state, if it is an `A`.
    pub(crate) fn of(state: &AnyState, version: u64) -> Option<Self> {
        let AnyState { state, created, updated } = state.clone();
        Some(Self { state: state.downcast().ok()?, version, created, updated })
    }

    /// The same without its type.
    pub(crate) fn any(&self) -> AnyState {
        AnyState { state: Arc::clone(&self.state) as _, created: self.created, updated: self.updated }
    }

    /// Applies an event appended at `time`.
    pub(crate) fn evolve(&mut self, event: &A::Event, time: OffsetDateTime)
    where
        A: Aggregate,
    {
        Arc::make_mut(&mut self.state).evolve(event);
        self.pass_over(time);
    }

    /// Counts an event appended at `time` without applying it.
    pub(crate) fn pass_over(&mut self, time: OffsetDateTime) {
        if self.version == 0 {
            self.created = time;
        }
        self.version += 1;
        self.updated = time;
    }

    /// The same, with a state of its own.
    pub(crate) fn loaded(self) -> Loaded<A>
    where
        A: Clone,
    {
        let Self { state, version, created, updated } = self;
        Loaded { state: Arc::unwrap_or_clone(state), version, created, updated }
    }
}

impl Generations {
    fn get(&mut self, stream: &StreamName) -> Option<Entry> {
        if let Some(entry) = self.young.get(stream) {
            return Some(entry.clone());
        }
        let entry = self.old.remove(stream)?;
        self.insert(stream.clone(), entry.clone());
        Some(entry)
    }

    fn insert(&mut self, stream: StreamName, entry: Entry) {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(stream, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state<A: Send + Sync + 'static>(state: A) -> AnyState {
        let never = OffsetDateTime::UNIX_EPOCH;
        AnyState { state: Arc::new(state), created: never, updated: never }
    }

    #[test]
    fn an_older_state_never_replaces_a_newer_one() {
        let cache = Cache::default();
        let stream = StreamName::from("order-1");
        cache.put(0, &stream, 3, Some(state("newer")));
        cache.put(0, &stream, 2, Some(state("older")));
        assert_eq!(cache.current::<&str>(&stream).map(|seen| (*seen.state, seen.version)), Some(("newer", 3)));
    }

    #[test]
    fn what_is_in_use_outlives_what_is_not() {
        let cache = Cache::default();
        let used = StreamName::from("order-used");
        let unused = StreamName::from("order-unused");
        cache.put(0, &used, 1, None);
        cache.put(0, &unused, 1, None);
        for index in 0..3 * GENERATION {
            cache.put(0, &StreamName::from(format!("order-{index}")), 1, None);
            assert_eq!(cache.version(&used), Some(1));
        }
        assert_eq!(cache.version(&unused), None);
    }

    #[test]
    fn another_type_is_not_found() {
        let cache = Cache::default();
        let stream = StreamName::from("order-1");
        cache.put(0, &stream, 1, Some(state(1_u8)));
        assert!(cache.current::<u16>(&stream).is_none());
    }
}
