//! What this process remembers of the database, and when it has to forget.
//!
//! Everything remembered is of one epoch. A new one begins whenever the database was away or another server answers: what
//! comes back may be an earlier state of it. Whoever keeps something for itself, such as a reader its position, watches the
//! epoch. What outlives it is a witness: the last event seen in each partition of the log, which has to be there still.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use super::birth::MOST_PARTITIONS;
use super::cache::Cache;
use super::keys::Keys;
use super::position::Reached;
use super::tail::Tail;
use super::written::Written;
use crate::metrics::metrics;

/// An event at its place in the log.
pub type Witness = (u64, Uuid);

/// What is remembered.
pub(crate) struct Memory {
    pub(super) cache: Cache,
    /// By partition.
    pub(super) tails: Box<[Tail]>,
    pub(super) reached: Reached,
    pub(super) written: Written,
    pub(crate) keys: Keys,
    epoch: watch::Sender<u64>,
    log: watch::Sender<LogState>,
    disputes: watch::Sender<u64>,
    known: Mutex<Known>,
}

/// The own log: which one it is, and why nothing may be appended to it, if so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// Its identity.
    pub incarnation: Uuid,
    /// Why nothing may be appended to it.
    pub went_back: Option<String>,
    /// Why nothing at all may be written.
    pub damaged: Option<String>,
}

#[derive(Default)]
struct Known {
    /// The last event seen in each partition.
    seen: Vec<Option<Witness>>,
    /// The epoch in which they were last looked for.
    verified: u64,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            cache: Cache::default(),
            tails: (0..MOST_PARTITIONS).map(|_| Tail::default()).collect(),
            reached: Reached::default(),
            written: Written::default(),
            keys: Keys::default(),
            epoch: watch::Sender::new(0),
            log: watch::Sender::new(LogState::default()),
            disputes: watch::Sender::new(0),
            known: Mutex::default(),
        }
    }

    /// The present epoch and those that follow.
    pub(crate) fn epoch(&self) -> watch::Receiver<u64> {
        self.epoch.subscribe()
    }

    /// The database was away: a new epoch begins.
    pub(crate) fn forget(&self) {
        self.forget_tails();
        self.epoch.send_modify(|epoch| *epoch += 1);
        self.cache.clear();
        self.reached.clear();
        self.keys.clear();
        tracing::debug!("the database was away; what was remembered of it is forgotten");
    }

    /// Forgets the ends of the log, but that their last events were there.
    pub(crate) fn forget_tails(&self) {
        for (partition, tail) in (0_u16..).zip(&self.tails) {
            if let Some(last) = tail.forget() {
                self.saw(partition, last);
            }
        }
    }

    /// Takes note of an event that is in the log.
    pub(crate) fn saw(&self, partition: u16, witness: Witness) {
        let mut known = self.known();
        let index = usize::from(partition);
        if known.seen.len() <= index {
            known.seen.resize(index + 1, None);
        }
        if let Some(seen) = known.seen.get_mut(index)
            && seen.is_none_or(|(position, _)| position < witness.0)
        {
            *seen = Some(witness);
        }
    }

    /// The last event seen in each partition, unless they were looked for in this epoch; and the epoch.
    pub(super) fn unverified(&self) -> Option<(u64, Vec<(u16, Witness)>)> {
        let (epoch, known) = (*self.epoch.borrow(), self.known());
        let seen = (0_u16..).zip(&known.seen).filter_map(|(partition, seen)| Some((partition, (*seen)?)));
        (known.verified != epoch).then(|| (epoch, seen.collect()))
    }

    pub(super) fn verified(&self, epoch: u64) {
        self.known().verified = epoch;
    }

    /// The own log's state and its changes.
    pub(crate) fn log(&self) -> watch::Receiver<LogState> {
        self.log.subscribe()
    }

    /// Changes when a reader has said that the log lacks what it has read.
    pub(crate) fn disputes(&self) -> watch::Receiver<u64> {
        self.disputes.subscribe()
    }

    /// A reader has said so.
    pub(super) fn disputed(&self) {
        self.disputes.send_modify(|disputes| *disputes += 1);
    }

    /// Takes over what the database says of its log. Only another incarnation, which an operator gives it, ends it that the log
    /// went back: then what was seen of the one before is no witness any more.
    pub(super) fn heard(&self, incarnation: Uuid, went_back: Option<String>) {
        let before = self.log.borrow().clone();
        if before.incarnation != incarnation {
            self.known().seen.clear();
            if !before.incarnation.is_nil() {
                tracing::warn!(before = %before.incarnation, now = %incarnation, "the own log has another incarnation");
                self.forget();
            }
        }
        let went_back = if before.incarnation == incarnation { before.went_back.or(went_back) } else { went_back };
        self.set(LogState { incarnation, went_back, ..before });
    }

    /// The database is damaged: nothing is written to it any more.
    pub(super) fn damaged(&self, text: &str) {
        let before = self.log.borrow().clone();
        if before.damaged.is_none() {
            tracing::error!(
                why = text,
                runbook = "docs/runbook.md#a-database-is-damaged",
                "the database is damaged; nothing is written to it any more"
            );
            metrics().database_damaged.record(1, &[]);
            self.set(LogState { damaged: Some(text.to_owned()), ..before });
        }
    }

    /// The log went back: nothing is appended to it, nor published, until an operator has decided.
    pub(super) fn went_back(&self, text: String) {
        let before = self.log.borrow().clone();
        self.set(LogState { went_back: Some(text), ..before });
    }

    /// Wakes those who watch the state only where it differs: one of them sets it each time it looks.
    fn set(&self, now: LogState) {
        metrics().log_went_back.record(now.went_back.is_some().into(), &[]);
        self.log.send_if_modified(|log| {
            if *log == now {
                return false;
            }
            let before = std::mem::replace(log, now);
            if let (Some(why), None) = (&log.went_back, before.went_back) {
                tracing::error!(
                    why,
                    incarnation = %log.incarnation,
                    runbook = "docs/runbook.md#a-log-went-back",
                    "the own log went back; nothing is appended to it until an operator has decided"
                );
            }
            true
        });
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::bare::bare;
    use crate::{Recorded, StreamName};

    #[test]
    fn an_absence_begins_an_epoch_in_which_nothing_old_is_known() {
        let memory = Memory::new();
        let stream = StreamName::from("order-1");
        let remember = |era| memory.cache.put(era, &stream, 1, None);
        remember(memory.cache.era());
        assert_eq!(memory.cache.version(&stream), Some(1));
        let before = memory.cache.era();
        memory.forget();
        assert_eq!((memory.cache.version(&stream), *memory.epoch().borrow()), (None, 1));
        remember(before);
        assert_eq!(memory.cache.version(&stream), None, "what was read before comes too late");
        remember(memory.cache.era());
        memory.forget();
        assert_eq!((memory.cache.version(&stream), *memory.epoch().borrow()), (None, 2));
    }

    #[test]
    fn an_end_of_the_log_that_is_forgotten_before_its_epoch_ends_was_seen_nevertheless() {
        let memory = Memory::new();
        let event = Recorded { id: Uuid::from_u128(5), partition: 1, position: 5, ..bare("order-1", 1) };
        memory.tails[1].begin(4);
        memory.tails[1].extend(event);
        memory.forget_tails();
        memory.forget();
        assert_eq!(memory.unverified(), Some((1, vec![(1, (5, Uuid::from_u128(5)))])));
    }

    #[test]
    fn what_was_seen_is_looked_for_once_an_epoch() {
        let memory = Memory::new();
        let id = Uuid::from_u128;
        memory.saw(1, (5, id(5)));
        memory.saw(1, (4, id(4)));
        assert_eq!(memory.unverified(), None);
        memory.forget();
        assert_eq!(memory.unverified(), Some((1, vec![(1, (5, id(5)))])));
        memory.verified(1);
        assert_eq!(memory.unverified(), None);
    }

    #[test]
    fn what_is_heard_again_wakes_nobody() {
        let memory = Memory::new();
        memory.heard(Uuid::from_u128(1), None);
        let mut log = memory.log();
        memory.heard(Uuid::from_u128(1), None);
        assert!(!log.has_changed().unwrap(), "who looks would look again at once");
        memory.heard(Uuid::from_u128(1), Some("lost".to_owned()));
        assert!(log.has_changed().unwrap());
        log.mark_unchanged();
        memory.heard(Uuid::from_u128(1), Some("lost".to_owned()));
        assert!(!log.has_changed().unwrap());
    }

    #[test]
    fn only_another_incarnation_ends_it_that_the_log_went_back() {
        let memory = Memory::new();
        memory.heard(Uuid::from_u128(1), None);
        memory.saw(0, (5, Uuid::from_u128(5)));
        memory.went_back("lost".to_owned());
        memory.heard(Uuid::from_u128(1), None);
        assert!(memory.log().borrow().went_back.is_some());
        memory.heard(Uuid::from_u128(2), None);
        assert_eq!(*memory.log().borrow(), LogState { incarnation: Uuid::from_u128(2), ..LogState::default() });
        assert_eq!(memory.unverified().unwrap().1, []);
    }
}
