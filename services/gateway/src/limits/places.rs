//! How much somebody does at once. Only who does something is remembered, for as long as they do.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SHARDS: usize = 16;

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Requests under way.
    Requests,
    /// Streams that are open.
    Streams,
}

impl What {
    pub(crate) const ALL: [Self; 2] = [Self::Requests, Self::Streams];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Streams => "streams",
        }
    }
}

type Shard = Mutex<HashMap<(u64, u8), u32>>;

/// Who does how much.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<[Shard; SHARDS]>);

/// One of somebody's, until it is dropped.
pub(crate) struct Place {
    places: Places,
    of: (u64, u8),
}

impl Places {
    /// One more for whoever has that id, of `most`.
    pub(crate) fn take(&self, id: u64, what: What, most: u32) -> Option<Place> {
        let of = (id, what as u8);
        let mut shard = self.shard(id);
        let taken = shard.entry(of).or_default();
        if *taken >= most {
            return None;
        }
        *taken += 1;
        Some(Place { places: self.clone(), of })
    }

    fn shard(&self, id: u64) -> MutexGuard<'_, HashMap<(u64, u8), u32>> {
        let at = usize::from(id.to_be_bytes()[7]) % SHARDS;
        self.0[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut shard = self.places.shard(self.of.0);
        if let Entry::Occupied(mut taken) = shard.entry(self.of) {
            *taken.get_mut() -= 1;
            if *taken.get() == 0 {
                taken.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_makes_room_and_is_forgotten() {
        let places = Places::default();
        let held: Vec<_> = (0..5).map(|_| places.take(7, What::Streams, 3)).collect();
        assert_eq!(held.iter().flatten().count(), 3);
        assert!(places.take(8, What::Streams, 1).is_some() && places.take(7, What::Requests, 1).is_some());
        drop(held);
        assert!(places.take(7, What::Streams, 1).is_some());
        assert!(places.0.iter().all(|shard| shard.lock().is_ok_and(|shard| shard.is_empty())));
    }
}
