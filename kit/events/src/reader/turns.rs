//! Notices an event that comes after a later one of its stream, in bounded memory.

use std::collections::HashMap;
use std::mem;

use tradewind_store::{Recorded, StreamName};

/// How many streams a generation has; at most two are kept.
const GENERATION: usize = 4_096;

/// The last version of each stream read lately.
#[derive(Default)]
pub(super) struct Turns {
    young: HashMap<StreamName, u64>,
    old: HashMap<StreamName, u64>,
}

impl Turns {
    /// Notes an event; returns the version that was read before it, if that is not an earlier one.
    pub(super) fn take(&mut self, event: &Recorded) -> Option<u64> {
        let before = self.young.get(&event.stream).or_else(|| self.old.get(&event.stream)).copied();
        let late = before.filter(|before| *before >= event.version);
        if late.is_none() {
            if self.young.len() >= GENERATION {
                self.old = mem::take(&mut self.young);
            }
            self.young.insert(event.stream.clone(), event.version);
        }
        late
    }

    /// Forgets everything: what was read may come again.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use tradewind_testing::recorded;

    use super::*;

    fn event(stream: &str, version: u64) -> Recorded {
        recorded(stream, version)
    }

    #[test]
    fn a_version_that_comes_after_a_later_one_is_noticed() {
        let mut turns = Turns::default();
        for (stream, version, late) in
            [("a", 1, None), ("b", 4, None), ("a", 3, None), ("a", 2, Some(3)), ("a", 3, Some(3)), ("b", 5, None)]
        {
            assert_eq!(turns.take(&event(stream, version)), late, "{stream} {version}");
        }
        turns.forget();
        assert_eq!(turns.take(&event("a", 1)), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut turns = Turns::default();
        for index in 0..3 * GENERATION {
            turns.take(&event(&format!("{index}"), 1));
        }
        assert!(turns.young.len() <= GENERATION && turns.old.len() <= GENERATION);
        assert_eq!(turns.take(&event(&format!("{}", 3 * GENERATION - 1), 1)), Some(1));
    }
}
