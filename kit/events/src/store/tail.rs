//! The end of the own log as this process wrote it, so that the relay and the projections need not read back what was
//! committed a moment ago. On SQLite alone: there the turn to write is held from BEGIN to COMMIT, so that the places of a
//! transaction's events are known before anybody else gets one. Only what is committed is in here.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Recorded, StreamName};

/// How many events are kept.
const CAPACITY: usize = 1024;

/// The last events of a log that has one partition.
#[derive(Default)]
pub(crate) struct Tail(Mutex<Ring>);

#[derive(Default)]
struct Ring {
    /// The position of the last event.
    head: u64,
    /// The events up to it, without a gap.
    events: VecDeque<Recorded>,
    /// The head may have moved since.
    uncertain: bool,
}

impl Tail {
    /// Whether [`restart`](Self::restart) has to say where the log ends before anything is appended.
    pub(super) fn is_uncertain(&self) -> bool {
        self.ring().uncertain
    }

    /// Forgets what was kept, and says where the log ends.
    pub(super) fn restart(&self, head: u64) {
        *self.ring() = Ring { head, ..Ring::default() };
    }

    /// Says that a commit is under way which may not be heard of again.
    pub(crate) fn doubt(&self) {
        self.ring().uncertain = true;
    }

    /// Takes what that commit has appended.
    pub(crate) fn append(&self, events: Vec<Recorded>) {
        let mut ring = self.ring();
        for event in events {
            ring.head += 1;
            let position = ring.head;
            if ring.events.len() == CAPACITY {
                ring.events.pop_front();
            }
            ring.events.push_back(Recorded { position, ..event });
        }
        ring.uncertain = false;
    }

    /// Up to `limit` events that follow the position `after`, and the head; `None` where there are none, or not all, in here.
    pub(super) fn read(&self, after: u64, limit: usize) -> Option<(u64, Vec<Recorded>)> {
        let ring = self.ring();
        let first = ring.events.front()?.position;
        let skipped = usize::try_from((after + 1).checked_sub(first)?).ok()?;
        let events: Vec<_> = ring.events.iter().skip(skipped).take(limit).cloned().collect();
        (!events.is_empty()).then_some((ring.head, events))
    }

    /// The position of an event that is in here.
    pub(super) fn position_of(&self, stream: &StreamName, version: u64) -> Option<u64> {
        let ring = self.ring();
        let found = ring.events.iter().rev().find(|event| event.version == version && event.stream == *stream);
        found.map(|event| event.position)
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Metadata;

    fn events(versions: std::ops::RangeInclusive<u64>) -> Vec<Recorded> {
        let event = |version| Recorded {
            id: uuid::Uuid::nil(),
            stream: StreamName::from("order-1"),
            version,
            partition: 0,
            position: 0,
            type_name: String::new(),
            payload: Vec::new(),
            time: time::OffsetDateTime::UNIX_EPOCH,
            metadata: Metadata::default(),
        };
        versions.map(event).collect()
    }

    fn positions(tail: &Tail, after: u64, limit: usize) -> Option<Vec<u64>> {
        tail.read(after, limit).map(|(_, events)| events.iter().map(|event| event.position).collect())
    }

    #[test]
    fn what_was_appended_has_the_places_behind_the_head() {
        let tail = Tail::default();
        tail.restart(10);
        assert_eq!(positions(&tail, 10, 5), None);
        tail.append(events(1..=3));
        assert_eq!(positions(&tail, 10, 2), Some(vec![11, 12]));
        assert_eq!(positions(&tail, 12, 2), Some(vec![13]));
        assert_eq!((positions(&tail, 9, 2), positions(&tail, 13, 2)), (None, None), "the database has to be asked");
        assert_eq!(tail.position_of(&StreamName::from("order-1"), 2), Some(12));
    }

    #[test]
    fn only_the_last_events_are_kept() {
        let tail = Tail::default();
        let last = u64::try_from(CAPACITY).unwrap() + 5;
        tail.append(events(1..=last));
        assert_eq!(positions(&tail, 4, 1), None);
        assert_eq!(positions(&tail, 5, 1), Some(vec![6]));
        assert_eq!(tail.read(5, 1).unwrap().0, last);
    }

    #[test]
    fn after_a_commit_whose_end_is_unknown_the_log_may_go_on_elsewhere() {
        let tail = Tail::default();
        tail.append(events(1..=3));
        tail.doubt();
        assert!(tail.is_uncertain());
        assert_eq!(positions(&tail, 0, 5), Some(vec![1, 2, 3]), "what is committed stays committed");
        tail.restart(4);
        assert_eq!((tail.is_uncertain(), positions(&tail, 0, 5)), (false, None));
        tail.append(events(5..=5));
        assert_eq!(positions(&tail, 4, 5), Some(vec![5]));
    }
}
