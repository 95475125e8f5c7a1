//! Aggregates as they were last seen, so that a command on one in use needs no read.
//!
//! Only committed states belong here. A stale one does no harm: the append it leads to violates the event's key, and the
//! entry is evicted. What decides without appending must not trust it where other processes write too.

use std::any::Any;
use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use crate::StreamName;

/// The fold of a stream's events, of whatever aggregate.
pub(crate) type AnyState = Arc<dyn Any + Send + Sync>;

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
    young: HashMap<StreamName, Entry>,
    old: HashMap<StreamName, Entry>,
}

impl Cache {
    /// The state last seen, if it is an `A`, with its version.
    pub(crate) fn state<A: Send + Sync + 'static>(&self, stream: &StreamName) -> Option<(Arc<A>, u64)> {
        let entry = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(stream)?;
        let state = entry.state?.downcast().ok()?;
        Some((state, entry.version))
    }

    /// A version that the stream has reached for certain.
    pub(crate) fn version(&self, stream: &StreamName) -> Option<u64> {
        Some(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(stream)?.version)
    }

    /// Keeps what was committed, unless something newer is known.
    pub(crate) fn put(&self, stream: &StreamName, version: u64, state: Option<AnyState>) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.get(stream).is_none_or(|known| known.version <= version) {
            generations.insert(stream.clone(), Entry { version, state });
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Generations::default();
    }

    /// Forgets the stream.
    pub(crate) fn evict(&self, stream: &StreamName) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young.remove(stream);
        generations.old.remove(stream);
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

    #[test]
    fn an_older_state_never_replaces_a_newer_one() {
        let cache = Cache::default();
        let stream = StreamName::from("order-1");
        cache.put(&stream, 3, Some(Arc::new("newer")));
        cache.put(&stream, 2, Some(Arc::new("older")));
        assert_eq!(cache.state::<&str>(&stream).map(|(state, version)| (*state, version)), Some(("newer", 3)));
    }

    #[test]
    fn what_is_in_use_outlives_what_is_not() {
        let cache = Cache::default();
        let used = StreamName::from("order-used");
        let unused = StreamName::from("order-unused");
        cache.put(&used, 1, None);
        cache.put(&unused, 1, None);
        for index in 0..3 * GENERATION {
            cache.put(&StreamName::from(format!("order-{index}")), 1, None);
            assert_eq!(cache.version(&used), Some(1));
        }
        assert_eq!(cache.version(&unused), None);
    }

    #[test]
    fn another_type_is_not_found() {
        let cache = Cache::default();
        let stream = StreamName::from("order-1");
        cache.put(&stream, 1, Some(Arc::new(1_u8)));
        assert!(cache.state::<u16>(&stream).is_none());
    }
}
