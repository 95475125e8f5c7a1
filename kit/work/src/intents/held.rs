//! What a worker holds, in memory: a database file has one process, whose claims need not be written down. Where they are written,
//! it tells what is under way.

use std::collections::{BTreeSet, HashMap};

use time::OffsetDateTime;

use crate::queue::Intent;

/// The intents of one worker, by key and generation: a replaced one is another.
#[derive(Default)]
pub(super) struct Held {
    claims: HashMap<(String, i64), Claim>,
    /// When what was given back is due again.
    due: BTreeSet<OffsetDateTime>,
}

struct Claim {
    until: OffsetDateTime,
    /// Its call has ended, and how could not be written down: it lapses.
    ended: bool,
}

impl Held {
    /// Takes an intent; `false` when its call is under way, as when a claim lapsed meanwhile.
    pub(super) fn take(&mut self, intent: &Intent, until: OffsetDateTime) -> bool {
        let is_free = self.claims.get(&name(intent)).is_none_or(|claim| claim.ended);
        if is_free {
            self.claims.insert(name(intent), Claim { until, ended: false });
        }
        is_free
    }

    pub(super) fn has(&self, intent: &Intent) -> bool {
        self.claims.contains_key(&name(intent))
    }

    pub(super) fn len(&self) -> usize {
        self.claims.len()
    }

    /// It is settled, or somebody else's.
    pub(super) fn forget(&mut self, intent: &Intent) {
        self.claims.remove(&name(intent));
    }

    /// It was given back, to be called again at `due`.
    pub(super) fn give_back(&mut self, intent: &Intent, due: OffsetDateTime) {
        self.forget(intent);
        self.due.insert(due);
    }

    /// It could not be given back.
    pub(super) fn keep(&mut self, intent: &Intent) {
        if let Some(claim) = self.claims.get_mut(&name(intent)) {
            claim.ended = true;
        }
    }

    /// Forgets what has lapsed, or is due, by `now`.
    pub(super) fn pass(&mut self, now: OffsetDateTime) {
        self.claims.retain(|_, claim| !claim.ended || claim.until > now);
        self.due.retain(|due| *due > now);
    }

    /// When something is due again, as far as is known here.
    pub(super) fn next(&self) -> Option<OffsetDateTime> {
        let lapses = self.claims.values().filter(|claim| claim.ended).map(|claim| claim.until);
        lapses.chain(self.due.first().copied()).min()
    }
}

fn name(intent: &Intent) -> (String, i64) {
    (intent.key.clone(), intent.generation)
}

#[cfg(test)]
mod tests {
    use tradewind_store::Metadata;
    use tradewind_testing::at;

    use super::*;

    fn intent(generation: i64) -> Intent {
        let (key, action) = ("o1".to_owned(), "charge".to_owned());
        Intent { key, action, payload: Vec::new(), generation, attempt: 0, cause: Metadata::default() }
    }

    #[test]
    fn what_is_under_way_is_taken_once_and_what_replaces_it_at_once() {
        let mut held = Held::default();
        assert!(held.take(&intent(1), at(30)));
        assert!(!held.take(&intent(1), at(60)));
        assert!(held.take(&intent(2), at(30)));
        held.pass(at(90));
        assert!(held.has(&intent(1)), "a call under way does not lapse");
        held.forget(&intent(1));
        assert!(!held.has(&intent(1)) && held.has(&intent(2)));
        assert_eq!(held.next(), None, "the end of the call comes first");
    }

    #[test]
    fn what_was_given_back_is_due_when_it_was_said() {
        let mut held = Held::default();
        for (generation, due) in [(1, 20), (2, 10)] {
            assert!(held.take(&intent(generation), at(30)));
            held.give_back(&intent(generation), at(due));
        }
        assert_eq!((held.len(), held.next()), (0, Some(at(10))));
        held.pass(at(10));
        assert_eq!(held.next(), Some(at(20)));
    }

    #[test]
    fn what_could_not_be_given_back_lapses_unless_another_claim_is_written() {
        let mut held = Held::default();
        assert!(held.take(&intent(1), at(30)));
        held.keep(&intent(1));
        held.pass(at(29));
        assert_eq!((held.has(&intent(1)), held.next()), (true, Some(at(30))));
        assert!(held.take(&intent(1), at(60)));
        held.keep(&intent(1));
        held.pass(at(60));
        assert!(!held.has(&intent(1)));
    }
}
