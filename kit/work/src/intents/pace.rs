//! How many calls a worker may begin: up to its concurrency, and single probes while nobody answers.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;
use tradewind_replicas::circuit::{Admits, Change, Circuit};

/// The pace of one worker. Time and randomness are passed in.
pub(super) struct Pace {
    concurrency: usize,
    circuit: Circuit,
    /// Keys that had no answer since there was one. One key alone says nothing about the others.
    silent: HashSet<String>,
}

impl Pace {
    pub(super) fn new(concurrency: usize) -> Self {
        Self { concurrency: concurrency.max(1), circuit: Circuit::default(), silent: HashSet::new() }
    }

    /// How many calls may begin while so many are under way.
    pub(super) fn room(&self, now: Instant, under_way: usize) -> usize {
        let free = self.concurrency.saturating_sub(under_way);
        match self.circuit.admits(now) {
            Admits::Everything => free,
            Admits::OneProbe => free.min(1),
            Admits::Nothing(_) => 0,
        }
    }

    /// How long there is no room whatever ends, where that is known.
    pub(super) fn closed_for(&self, now: Instant) -> Option<Duration> {
        match self.circuit.admits(now) {
            Admits::Nothing(Some(until)) => Some(until - now),
            _ => None,
        }
    }

    pub(super) fn began(&mut self) {
        self.circuit.began();
    }

    pub(super) fn answered(&mut self) -> Option<Change> {
        self.silent.clear();
        self.circuit.succeeded()
    }

    pub(super) fn no_answer(&mut self, key: &str, now: Instant, random: u64) -> Option<Change> {
        if self.circuit.admits(now) == Admits::Everything && !self.silent.insert(key.to_owned()) {
            return None;
        }
        let change = self.circuit.failed(now, random);
        if change.is_some() {
            self.silent.clear();
        }
        change
    }

    /// A call ended without anybody knowing how.
    pub(super) fn lost(&mut self, now: Instant) {
        self.circuit.abandoned(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_that_never_gets_an_answer_slows_no_other() {
        let (mut pace, now) = (Pace::new(8), Instant::now());
        for _ in 0..100 {
            assert_eq!(pace.no_answer("unlucky", now, 0), None);
        }
        assert_eq!(pace.room(now, 1), 7);
    }

    #[test]
    fn many_keys_without_an_answer_leave_room_for_one_probe_at_a_time() {
        let (mut pace, now) = (Pace::new(8), Instant::now());
        let changes: Vec<_> = (0..5).filter_map(|key| pace.no_answer(&key.to_string(), now, u64::MAX)).collect();
        assert_eq!(changes, [Change::Opened]);
        assert_eq!(pace.room(now, 0), 0);
        let later = now + pace.closed_for(now).unwrap();
        assert_eq!(pace.room(later, 0), 1);
        pace.began();
        assert_eq!(pace.room(later, 1), 0);
        assert_eq!(pace.answered(), Some(Change::Closed));
        assert_eq!(pace.room(later, 0), 8);
    }
}
