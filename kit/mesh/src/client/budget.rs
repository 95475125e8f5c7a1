//! How much may be repeated: a twelfth of the calls, and a few more at once. What is repeated never becomes the load.

use std::sync::atomic::{AtomicU32, Ordering};

/// What one call saves up, what one repetition costs, and the most that is saved.
const CALL: u32 = 1;
const REPETITION: u32 = 12;
const MOST: u32 = 10 * REPETITION;

/// The budget of one peer.
#[derive(Debug)]
pub(super) struct Budget(AtomicU32);

impl Budget {
    /// Saves up for one call.
    pub(super) fn deposit(&self) {
        self.update(|saved| (saved < MOST).then(|| saved + CALL));
    }

    /// Pays for one repetition, if there is enough.
    pub(super) fn withdraw(&self) -> bool {
        self.update(|saved| saved.checked_sub(REPETITION))
    }

    /// Repetitions that are left.
    pub(super) fn left(&self) -> u32 {
        self.0.load(Ordering::Relaxed) / REPETITION
    }

    /// The most that are saved up for.
    pub(super) const fn most() -> u32 {
        MOST / REPETITION
    }

    fn update(&self, change: impl FnMut(u32) -> Option<u32>) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok()
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twelfth_of_the_calls_may_be_repeated_once_the_savings_are_spent() {
        let budget = Budget::default();
        assert_eq!(budget.left(), 10);
        while budget.withdraw() {}
        let repeated = (0..120)
            .filter(|_| {
                budget.deposit();
                budget.withdraw()
            })
            .count();
        assert_eq!(repeated, 10);
    }
}
