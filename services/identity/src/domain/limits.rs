//! How often something may be tried: so many times at once, and then one more after each pause. By the theoretical arrival times of
//! the generic cell rate algorithm (ITU-T I.371), so that a count is one number and is over by itself.

use std::time::Duration;

/// So many at once, and one more after each pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// At once; at least 1.
    pub burst: u32,
    /// The time after which there may be one more.
    pub every: Duration,
}

/// Passwords tried for one account from one network. Nobody else's tries count, so that nobody keeps somebody from where they
/// usually are.
pub const GUESSES_AT: Limit = Limit { burst: 10, every: Duration::from_secs(60) };
/// Passwords tried for one account, from all networks together that it was never signed in from.
pub const GUESSES_OF: Limit = Limit { burst: 100, every: Duration::from_secs(36) };
/// Passwords tried from one network, for all accounts together.
pub const GUESSES_FROM: Limit = Limit { burst: 200, every: Duration::from_secs(6) };
/// Codes asked for from one network.
pub const CODES_FROM: Limit = Limit { burst: 50, every: Duration::from_secs(30) };
/// Codes sent to one mailbox for one network. Nobody else's count, so that nobody keeps somebody from theirs.
pub const CODES_AT: Limit = Limit { burst: 5, every: Duration::from_secs(600) };
/// Mails that strangers have sent to one mailbox, from all networks together that its account was never signed in from.
pub const CODES_TO: Limit = Limit { burst: 20, every: Duration::from_secs(600) };

impl Limit {
    /// The pause in microseconds.
    #[must_use]
    pub fn pause(self) -> i64 {
        i64::try_from(self.every.as_micros()).unwrap_or(i64::MAX)
    }

    /// By how many microseconds the next one may be ahead of its time.
    #[must_use]
    pub fn ahead(self) -> i64 {
        self.pause().saturating_mul(i64::from(self.burst.max(1)) - 1)
    }

    /// What is kept after one more at `now`, if there may be one; else for how long there may be none. In microseconds.
    ///
    /// # Errors
    /// That time.
    pub fn take(self, kept: i64, now: i64) -> Result<i64, Duration> {
        let early = kept.saturating_sub(now.saturating_add(self.ahead()));
        match u64::try_from(early) {
            Ok(early) if early > 0 => Err(Duration::from_micros(early)),
            _ => Ok(kept.max(now).saturating_add(self.pause())),
        }
    }
}

/// One try that is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Try {
    /// What counts together.
    pub name: String,
    /// At once.
    pub(crate) burst: u32,
    /// The pause.
    pub(crate) every: Duration,
}

impl Try {
    /// One that counts under `name`.
    #[must_use]
    pub fn new(name: impl Into<String>, limit: Limit) -> Self {
        Self { name: name.into(), burst: limit.burst, every: limit.every }
    }

    /// Its limit.
    #[must_use]
    pub const fn limit(&self) -> Limit {
        Limit { burst: self.burst, every: self.every }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Limit = Limit { burst: 3, every: Duration::from_secs(10) };
    const SECOND: i64 = 1_000_000;

    #[test]
    fn so_many_go_at_once_and_then_one_after_each_pause() {
        let (mut kept, now) = (0, 1_000 * SECOND);
        for _ in 0..3 {
            kept = THREE.take(kept, now).unwrap_or_default();
        }
        assert_eq!(THREE.take(kept, now), Err(Duration::from_secs(10)));
        assert_eq!(THREE.take(kept, now + 9 * SECOND), Err(Duration::from_secs(1)));
        kept = THREE.take(kept, now + 10 * SECOND).unwrap_or_default();
        assert_eq!(THREE.take(kept, now + 10 * SECOND), Err(Duration::from_secs(10)));
        assert!((0..3).try_fold(kept, |kept, _| THREE.take(kept, now + 100 * SECOND)).is_ok());
    }

    #[test]
    fn what_is_kept_is_over_by_itself() {
        assert_eq!(THREE.take(i64::MIN, 5), Ok(5 + THREE.pause()));
        assert_eq!(Limit { burst: 0, every: Duration::from_secs(1) }.ahead(), 0);
    }
}
