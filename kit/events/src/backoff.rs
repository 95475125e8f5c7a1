//! Full-jitter backoff: a random wait below an exponentially growing ceiling.

use std::time::Duration;

use crate::store::random;

/// Bounds of a backoff.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    pub(crate) const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// The wait before attempt number `attempt` (0 is the first retry): uniform between zero and the ceiling.
    pub(crate) fn wait(self, attempt: u32) -> Duration {
        self.wait_for(attempt, random())
    }

    /// As [`wait`](Self::wait), with `random` for a die: the greater, the longer.
    pub(crate) fn wait_for(self, attempt: u32, random: u64) -> Duration {
        let nanos = self.ceiling(attempt).as_nanos() * u128::from(random) / u128::from(u64::MAX);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn ceiling(self, attempt: u32) -> Duration {
        self.base.saturating_mul(2_u32.saturating_pow(attempt.min(20))).min(self.cap)
    }
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
