//! How many connections there are at once. Where there is no place for one more, the one that has rested longest makes room: so
//! connections that say nothing keep nobody out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::activity::Activity;
use crate::metrics;
use crate::watched;

/// The places there are.
pub(super) struct Places {
    most: usize,
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Default)]
struct Taken {
    by_number: HashMap<u64, Arc<Activity>>,
    last: u64,
}

/// One of them, until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    pub(super) activity: Arc<Activity>,
    _counted: watched::Connection,
}

impl Places {
    pub(super) fn new(most: usize) -> Arc<Self> {
        watched::most_connections(most);
        Arc::new(Self { most, taken: Mutex::default(), freed: Notify::new() })
    }

    /// A place; made free by whoever rests, or waited for where nobody does.
    pub(super) async fn take(self: &Arc<Self>) -> Place {
        loop {
            let freed = self.freed.notified();
            if let Some(place) = self.find() {
                return place;
            }
            freed.await;
        }
    }

    fn find(self: &Arc<Self>) -> Option<Place> {
        let mut taken = self.taken();
        if taken.by_number.len() >= self.most {
            let resting = taken.by_number.values().filter(|each| !each.ended.is_cancelled());
            let resting = resting.filter_map(|each| each.rests().map(|rests| (rests, each)));
            if let Some((_, longest)) = resting.max_by_key(|(rests, _)| *rests) {
                metrics::refused("crowded");
                longest.ended.cancel();
            }
            return None;
        }
        taken.last += 1;
        let (number, activity) = (taken.last, Activity::begin());
        taken.by_number.insert(number, activity.clone());
        drop(taken);
        Some(Place { places: self.clone(), number, activity, _counted: watched::Connection::begin() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().by_number.remove(&self.number);
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_has_rested_longest_makes_room() {
        let places = Places::new(2);
        let (first, second) = (places.take().await, places.take().await);
        let asked = first.activity.ask(std::time::Duration::MAX);
        let (rests, taking) = (
            second.activity.ended.clone(),
            tokio::spawn({
                let places = places.clone();
                async move { places.take().await }
            }),
        );
        rests.cancelled().await;
        assert!(!first.activity.ended.is_cancelled(), "something is under way there");
        drop(second);
        assert!(taking.await.is_ok());
        drop(asked);
    }
}
