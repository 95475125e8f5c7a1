//! How often something may be done: the generic cell rate algorithm (ITU-T I.371, as virtual scheduling). What is kept of somebody is
//! one time: when all that was used will have come back. Times are nanoseconds since whenever the caller counts from.

use std::fmt;

const SECOND: u64 = 1_000_000_000;
/// The longest that all of a quota may take to come back.
pub(crate) const LONGEST: u64 = 86_400 * SECOND;

/// A rate, and how much may be saved up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// How many come back in each period.
    rate: u32,
    /// The period: a second, a minute or an hour.
    period: u64,
    /// The most at once.
    burst: u32,
}

/// How somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// How many are left.
    pub(crate) left: u32,
    /// Until when: for one that may be done, when all is there again; otherwise, when one is.
    pub(crate) wait: u64,
}

impl Quota {
    /// Reads `50/s`, `20/min` or `5/h`, with as many at once.
    pub(crate) fn read(rate: &str, burst: Option<&str>) -> Option<Self> {
        let (rate, period) = rate.split_once('/')?;
        let period = match period {
            "s" => SECOND,
            "min" => 60 * SECOND,
            "h" => 3_600 * SECOND,
            _ => return None,
        };
        let number = |text: &str| text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
        let rate = number(rate)?;
        let quota = Self { rate, period, burst: burst.map_or(Some(rate), number)? };
        (quota.whole() <= LONGEST).then_some(quota)
    }

    /// The most at once.
    pub(crate) const fn burst(self) -> u32 {
        self.burst
    }

    /// What one costs.
    pub(crate) fn each(self) -> u64 {
        self.period / u64::from(self.rate)
    }

    /// How long all of it takes to come back.
    pub(crate) fn whole(self) -> u64 {
        self.each().saturating_mul(u64::from(self.burst))
    }

    /// Does one more, where all was to have come back at `due`: when that is now, and how they stand.
    ///
    /// # Errors
    /// How they stand who have done too much.
    pub(crate) fn take(self, due: u64, now: u64) -> Result<(u64, Standing), Standing> {
        let used = due.saturating_sub(now).saturating_add(self.each());
        match used.checked_sub(self.whole()) {
            None | Some(0) => {
                let left = u32::try_from((self.whole() - used) / self.each()).unwrap_or(u32::MAX);
                Ok((now.saturating_add(used), Standing { left, wait: used }))
            }
            Some(early) => Err(Standing { left: 0, wait: early }),
        }
    }
}

impl Quota {
    /// Its numbers, for programs.
    pub(super) fn facts(self) -> [(String, String); 3] {
        let facts = [("rate", self.rate.into()), ("period_s", self.period / SECOND), ("burst", self.burst.into())];
        facts.map(|(name, number): (&str, u64)| (name.to_owned(), number.to_string()))
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = match self.period / SECOND {
            1 => "a second",
            60 => "a minute",
            _ => "an hour",
        };
        write!(f, "{} {period}, {} at once", self.rate, self.burst)
    }
}

/// Whole seconds, of which none is too few.
pub(crate) const fn seconds(wait: u64) -> u64 {
    wait.div_ceil(SECOND)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MILLI: u64 = 1_000_000;

    /// How many may be done at that time, one after the other.
    fn done(quota: Quota, due: &mut u64, now: u64) -> usize {
        let one = |_: &usize| quota.take(*due, now).map(|(next, _)| *due = next).is_ok();
        (0..10_000).take_while(one).count()
    }

    #[test]
    fn a_burst_may_be_done_at_once_and_then_what_comes_back() {
        let (quota, mut due) = (Quota::read("50/s", Some("100")).unwrap(), 0);
        assert_eq!(done(quota, &mut due, 5 * SECOND), 100);
        assert_eq!(done(quota, &mut due, 5 * SECOND + 19 * MILLI), 0);
        assert_eq!(done(quota, &mut due, 5 * SECOND + 20 * MILLI), 1);
        assert_eq!(done(quota, &mut due, 6 * SECOND), 49);
        assert_eq!(done(quota, &mut due, 900 * SECOND), 100, "no more is saved up");
    }

    #[test]
    fn over_a_long_time_no_more_is_done_than_the_rate_and_one_burst() {
        let (quota, mut due) = (Quota::read("7/s", Some("3")).unwrap(), 0);
        let all: usize = (0..60_000).map(|at| done(quota, &mut due, at * MILLI)).sum();
        assert!((7 * 60..=7 * 60 + 3).contains(&all), "{all}");
    }

    #[test]
    fn whoever_asks_hears_what_is_left_and_how_long_it_takes() {
        let quota = Quota::read("2/min", None).unwrap();
        let (due, standing) = quota.take(0, SECOND).unwrap();
        assert_eq!(standing, Standing { left: 1, wait: 30 * SECOND });
        let (due, standing) = quota.take(due, 11 * SECOND).unwrap();
        assert_eq!(standing, Standing { left: 0, wait: 50 * SECOND });
        assert_eq!(quota.take(due, 12 * SECOND), Err(Standing { left: 0, wait: 19 * SECOND }));
        assert!(quota.take(due, 31 * SECOND).is_ok(), "as soon as was said");
        assert_eq!((seconds(0), seconds(1), seconds(SECOND), seconds(SECOND + 1)), (0, 1, 1, 2));
    }

    #[test]
    fn a_debt_is_worked_off_before_anything_is_done_again() {
        let quota = Quota::read("1/s", Some("2")).unwrap();
        assert_eq!(quota.take(10 * SECOND, 0), Err(Standing { left: 0, wait: 9 * SECOND }));
        assert!(quota.take(10 * SECOND, 9 * SECOND).is_ok());
    }

    #[test]
    fn a_rate_is_a_number_a_period_and_a_burst() {
        assert_eq!(Quota::read("5/h", None).unwrap().to_string(), "5 an hour, 5 at once");
        for odd in ["5", "5/d", "0/s", "/s", "-1/s", "1000001/s", "5/s/s"] {
            assert_eq!(Quota::read(odd, None), None, "{odd}");
        }
        assert_eq!(Quota::read("5/s", Some("0")), None);
        assert_eq!(Quota::read("1/h", Some("25")), None, "it would take longer than a day");
    }
}
