//! The end of the own log as this process wrote it, so that the relay and the projections need not read back what was
//! written a moment ago. Only what is committed is in here.
//!
//! On SQLite the turn to write is held from BEGIN to COMMIT, so the places of a transaction's events are known before anybody
//! else gets one. On PostgreSQL the process that has the sequencer's lease gives the places to everybody's events.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sea_orm::DbBackend;
use tradewind_domain::request::PAGE_BYTES;
use uuid::Uuid;

use crate::{Recorded, Store, StreamName};

/// How many events are kept.
const CAPACITY: usize = 1024;
/// How many bytes of them.
const BYTES: usize = 16 * 1024 * 1024;

/// The last events of one partition of a log.
#[derive(Default)]
pub(crate) struct Tail(Mutex<Ring>);

/// What follows a position.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Following {
    /// Events, the id of the one before them, and the position of the last one there is.
    Events(Vec<Recorded>, Option<Uuid>, u64),
    /// Nothing yet behind the last position, which is given: whatever comes goes through this process.
    Nothing(u64),
    /// The database has to be asked.
    Unknown,
}

#[derive(Default)]
struct Ring {
    /// The position of the last event.
    head: u64,
    /// The events up to it, without a gap.
    events: VecDeque<Recorded>,
    bytes: usize,
    /// The head may have moved since.
    uncertain: bool,
    /// Whatever moves the head comes by [`Tail::extend`].
    sequenced: bool,
}

impl Store {
    /// The end of the log where it is told of what is committed, as that is.
    pub(crate) fn committed_tail(&self) -> Option<&Tail> {
        match self.tails() {
            [tail] if self.backend() == DbBackend::Sqlite => Some(tail),
            _ => None,
        }
    }

    /// The end of each partition of the log.
    pub(crate) fn tails(&self) -> &[Tail] {
        self.0.memory.tails.get(..usize::from(self.0.partitions)).unwrap_or_default()
    }
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
            ring.push(Recorded { position, ..event });
        }
        ring.uncertain = false;
    }

    /// Takes an event that this process has just given the place it has.
    pub(crate) fn extend(&self, event: Recorded) {
        let mut ring = self.ring();
        if ring.sequenced {
            ring.head = event.position;
            ring.push(event);
        }
    }

    /// Says that this process has given the place `head` to an event that is not kept here: what comes before is not, either.
    pub(crate) fn pass_over(&self, head: u64) {
        let mut ring = self.ring();
        if ring.sequenced {
            *ring = Ring { head, sequenced: true, ..Ring::default() };
        }
    }

    /// Says that from now on this process gives all places, behind `head`.
    pub(crate) fn begin(&self, head: u64) {
        *self.ring() = Ring { head, sequenced: true, ..Ring::default() };
    }

    /// Forgets the events, and nothing of where the log ends.
    pub(crate) fn drop_kept(&self) {
        let mut ring = self.ring();
        ring.events.clear();
        ring.bytes = 0;
    }

    /// Forgets everything: from now on others give places. The last event of what was kept.
    pub(crate) fn forget(&self) -> Option<(u64, Uuid)> {
        let ring = std::mem::replace(&mut *self.ring(), Ring { uncertain: true, ..Ring::default() });
        ring.events.back().map(|last| (last.position, last.id))
    }

    /// Up to `limit` events that follow the position `after`.
    pub(super) fn read(&self, after: u64, limit: usize) -> Following {
        let ring = self.ring();
        if ring.sequenced && after >= ring.head {
            return Following::Nothing(ring.head);
        }
        let skipped = ring.events.front().and_then(|first| (after + 1).checked_sub(first.position));
        let Some(skipped) = skipped.and_then(|skipped| usize::try_from(skipped).ok()) else {
            return Following::Unknown;
        };
        let before = skipped.checked_sub(1).and_then(|before| ring.events.get(before)).map(|before| before.id);
        let mut bytes = 0;
        let fits = |event: &&Recorded| {
            let first = bytes == 0;
            bytes += event.size();
            first || bytes <= PAGE_BYTES
        };
        let events: Vec<_> = ring.events.iter().skip(skipped).take(limit).take_while(fits).cloned().collect();
        if events.is_empty() || (before.is_none() && after > 0) {
            Following::Unknown
        } else {
            Following::Events(events, before, ring.head)
        }
    }

    /// The position of the last event, while this process gives all places.
    pub(super) fn sequenced(&self) -> Option<u64> {
        let ring = self.ring();
        ring.sequenced.then_some(ring.head)
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

impl Ring {
    fn push(&mut self, event: Recorded) {
        self.bytes += event.size();
        self.events.push_back(event);
        while self.events.len() > CAPACITY || self.bytes > BYTES {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= oldest.size();
        }
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

    #[test]
    fn few_large_events_are_kept_and_a_page_of_them_is_short() {
        let tail = Tail::default();
        let large = |event: Recorded| Recorded { payload: vec![0; 900_000], ..event };
        tail.append(events(1..=40).into_iter().map(large).collect());
        let kept = tail.ring().events.len();
        assert_eq!((kept, positions(&tail, 20, 5)), (18, None));
        assert_eq!(positions(&tail, 30, 5), Some(vec![31, 32]));
    }

    fn positions(tail: &Tail, after: u64, limit: usize) -> Option<Vec<u64>> {
        match tail.read(after, limit) {
            Following::Events(events, ..) => Some(events.iter().map(|event| event.position).collect()),
            Following::Nothing(_) => Some(Vec::new()),
            Following::Unknown => None,
        }
    }

    #[test]
    fn what_was_appended_has_the_places_behind_the_head() {
        let tail = Tail::default();
        tail.restart(10);
        assert_eq!(positions(&tail, 10, 5), None);
        tail.append(events(1..=3));
        assert_eq!(positions(&tail, 11, 1), Some(vec![12]));
        assert_eq!(positions(&tail, 12, 2), Some(vec![13]));
        assert_eq!((positions(&tail, 9, 2), positions(&tail, 13, 2)), (None, None), "the database has to be asked");
        assert_eq!(positions(&tail, 10, 2), None, "which event is at position 10 is not known here");
        assert_eq!(tail.position_of(&StreamName::from("order-1"), 2), Some(12));
    }

    #[test]
    fn only_the_last_events_are_kept() {
        let tail = Tail::default();
        let last = u64::try_from(CAPACITY).unwrap() + 5;
        tail.append(events(1..=last));
        assert_eq!((positions(&tail, 4, 1), positions(&tail, 5, 1)), (None, None));
        assert_eq!(positions(&tail, 6, 1), Some(vec![7]));
        assert!(matches!(tail.read(6, 1), Following::Events(_, Some(_), head) if head == last));
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
        tail.append(events(5..=6));
        assert_eq!(positions(&tail, 5, 5), Some(vec![6]));
    }

    #[test]
    fn while_places_are_given_here_what_is_not_in_here_is_nowhere() {
        let tail = Tail::default();
        let at = |positions: std::ops::RangeInclusive<u64>| {
            let placed: Vec<_> =
                positions.map(|position| Recorded { position, ..events(position..=position).remove(0) }).collect();
            placed
        };
        tail.begin(10);
        assert_eq!((positions(&tail, 9, 5), positions(&tail, 10, 5)), (None, Some(vec![])));
        at(11..=12).into_iter().for_each(|event| tail.extend(event));
        assert_eq!(positions(&tail, 9, 5), None, "what was there before this process gave places");
        assert_eq!((positions(&tail, 11, 5), positions(&tail, 12, 5)), (Some(vec![12]), Some(vec![])));
        assert_eq!(tail.sequenced(), Some(12));
        tail.pass_over(13);
        assert_eq!((positions(&tail, 11, 5), positions(&tail, 12, 5)), (None, None), "the database has to be asked");
        at(14..=15).into_iter().for_each(|event| tail.extend(event));
        assert_eq!((positions(&tail, 14, 5), tail.sequenced()), (Some(vec![15]), Some(15)));
        tail.forget();
        assert_eq!((positions(&tail, 10, 5), positions(&tail, 15, 5), tail.sequenced()), (None, None, None));
    }
}
