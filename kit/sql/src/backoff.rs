//! Full-jitter backoff: a random wait below an exponentially growing ceiling.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Bounds of a backoff.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    /// Waits below `base`, which doubles with each attempt up to `cap`.
    #[must_use]
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// The wait before attempt number `attempt` (0 is the first retry): uniform between zero and the ceiling.
    #[must_use]
    pub fn wait(self, attempt: u32) -> Duration {
        self.wait_for(attempt, random())
    }

    /// As [`wait`](Self::wait), with `random` for a die: the greater, the longer.
    #[must_use]
    pub fn wait_for(self, attempt: u32, random: u64) -> Duration {
        let nanos = self.ceiling(attempt).as_nanos() * u128::from(random) / u128::from(u64::MAX);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn ceiling(self, attempt: u32) -> Duration {
        self.base.saturating_mul(2_u32.saturating_pow(attempt.min(20))).min(self.cap)
    }
}

/// A random duration from zero to `max`.
#[must_use]
pub fn jitter(max: Duration) -> Duration {
    let nanos = u64::try_from(max.as_nanos()).unwrap_or(u64::MAX - 1);
    Duration::from_nanos(random() % (nanos + 1))
}

/// A random number, not for secrets.
#[must_use]
pub fn random() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_below_a_growing_ceiling() {
        let backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        assert_eq!(backoff.ceiling(0), Duration::from_millis(50));
        assert_eq!(backoff.ceiling(3), Duration::from_millis(400));
        assert_eq!(backoff.ceiling(u32::MAX), Duration::from_secs(5));
        for attempt in 0..100 {
            assert!(backoff.wait(attempt) <= backoff.ceiling(attempt));
        }
    }
}
