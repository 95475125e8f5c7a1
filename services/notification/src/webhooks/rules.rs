//! How long who is waited for, and how often.

use std::num::NonZeroU32;
use std::time::Duration;

use tradewind_sql::jitter;

/// The longest wait between two requests of one event.
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 3_600);

/// How endpoints are told.
pub(crate) struct Rules {
    /// How long one may take to answer.
    pub(crate) timeout: Duration,
    /// The shortest wait between two requests of one event, which doubles.
    pub(crate) wait: Duration,
    /// Requests of one event, at most.
    pub(crate) attempts: NonZeroU32,
    /// How long one may take nothing before it is told nothing more.
    pub(crate) failing: Duration,
    /// How long it is kept what was told.
    pub(crate) retention: Duration,
}

impl Rules {
    /// The wait after so many requests of an event: the first doubled with each, and something between half of that and all of it.
    pub(crate) fn wait_after(&self, attempts: i64) -> Duration {
        let doubled = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(30);
        let most = self.wait.saturating_mul(2_u32.pow(doubled)).min(LONGEST_WAIT);
        most / 2 + jitter(most / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_a_limit_and_add_up_to_about_a_day() {
        let (timeout, wait, day) = (Duration::ZERO, Duration::from_secs(15), Duration::from_secs(86_400));
        let rules = Rules { timeout, wait, attempts: NonZeroU32::MIN, failing: day, retention: day };
        for attempts in [1, 2, 5, 16, i64::MAX] {
            let most = Duration::from_secs(15 * 2_u64.pow(u32::try_from(attempts - 1).unwrap_or(30).min(30)));
            let most = most.min(LONGEST_WAIT);
            for _ in 0..100 {
                let wait = rules.wait_after(attempts);
                assert!(wait >= most / 2 && wait <= most, "{attempts}: {wait:?}");
            }
        }
        let all: Duration = (1..16).map(|attempts| rules.wait_after(attempts)).sum();
        assert!(all > day / 2 && all < day * 5 / 4, "{all:?}");
    }
}
