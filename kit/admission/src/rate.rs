//! How often one caller may call: the generic cell rate algorithm (ITU-T I.371), a second's worth at once. And of how many calls whoever
//! is outside may have the answers under way.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tonic::{Code, Status};
use tradewind_workload::Reader;

use crate::metrics;
use crate::status::{self, Layer};

/// What a caller may save up.
const BURST: Duration = Duration::from_secs(1);
/// Callers that are remembered. The contract names fewer.
const CALLERS: usize = 1_024;
/// Calls of one reader outside that are answered at a time, the last byte of each answer included. An answer waits in memory for as long
/// as its caller does not take it, and may be a page of a log.
const READS: usize = 4;
/// When a reader may come again that has so many.
const READS_AGAIN: Duration = Duration::from_millis(100);

/// How many calls a second each caller may make of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateLimits {
    callers: BTreeMap<String, NonZeroU32>,
    others: Option<NonZeroU32>,
}

impl RateLimits {
    fn of(&self, caller: &str) -> Option<NonZeroU32> {
        self.callers.get(caller).copied().or(self.others)
    }

    fn is_none(&self) -> bool {
        self.callers.is_empty() && self.others.is_none()
    }
}

/// Reads `operator=50,*=2000`: calls a second by workload, with `*` for those that are not named. Nothing is no limit.
impl FromStr for RateLimits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut limits = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (caller, rate) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` is not of the form caller=calls a second, such as operator=50"))?;
            let (caller, rate) = (caller.trim(), rate.trim());
            let rate = rate.parse().map_err(|_| format!("`{rate}` is not a number of calls a second, 1 or more"))?;
            let before = match caller {
                "" => return Err(format!("`{part}` names no caller; `*` stands for every other")),
                "*" => limits.others.replace(rate),
                _ => limits.callers.insert(caller.to_owned(), rate),
            };
            if before.is_some() {
                return Err(format!("`{caller}` has two limits"));
            }
        }
        Ok(limits)
    }
}

impl fmt::Display for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.callers.iter().map(|(caller, rate)| (caller.as_str(), *rate));
        let limits = named.chain(self.others.map(|rate| ("*", rate)));
        let texts: Vec<_> = limits.map(|(caller, rate)| format!("{caller}={rate}")).collect();
        f.write_str(&texts.join(","))
    }
}

/// The limits, and when each caller's saved-up calls are used up to: its theoretical arrival time.
#[derive(Default)]
pub struct Rates {
    limits: RateLimits,
    due: Mutex<HashMap<String, Instant>>,
    reads: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A call that may be made; to be held until its answer is written.
pub type Taken = Option<OwnedSemaphorePermit>;

impl Rates {
    /// Nothing was taken yet.
    #[must_use]
    pub fn new(limits: RateLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes one call of `caller`.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED`, with when the next may come, where there were too many, or are.
    pub fn take(&self, caller: &str, now: Instant) -> Result<Taken, Status> {
        self.take_rate(caller, now)?;
        Reader::of(caller).map(|reader| self.take_read(reader.name())).transpose()
    }

    fn take_read(&self, reader: &str) -> Result<OwnedSemaphorePermit, Status> {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        if reads.len() >= CALLERS && !reads.contains_key(reader) {
            reads.retain(|_, reads| reads.available_permits() < READS);
        }
        let reads = reads.entry(reader.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(READS)));
        Arc::clone(reads).try_acquire_owned().map_err(|_| {
            metrics::rate_limited(reader);
            let text = format!("{reader} has {READS} calls under way whose answers it has not taken");
            let limit = READS.to_string();
            let facts = [("caller", reader), ("limit", limit.as_str())];
            let refused = status::refusal(Layer::RateLimit, Code::ResourceExhausted, "TOO_MANY_AT_ONCE", &text, facts);
            status::again(refused, Some(READS_AGAIN))
        })
    }

    fn take_rate(&self, caller: &str, now: Instant) -> Result<(), Status> {
        if self.limits.is_none() {
            return Ok(());
        }
        let Some(rate) = self.limits.of(caller) else { return Ok(()) };
        let each = Duration::from_secs(1) / rate.get();
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.len() >= CALLERS && !due.contains_key(caller) {
            due.retain(|_, due| *due > now);
        }
        let next = due.get(caller).copied().unwrap_or(now).max(now) + each;
        let early = next.saturating_duration_since(now + BURST.max(each));
        if early.is_zero() {
            due.insert(caller.to_owned(), next);
            return Ok(());
        }
        drop(due);
        metrics::rate_limited(caller);
        let limit = rate.to_string();
        let text = format!("{caller} calls more often than {limit} times a second");
        let facts = [("caller", caller), ("limit", limit.as_str())];
        let refused = status::refusal(Layer::RateLimit, Code::ResourceExhausted, "RATE_LIMITED", &text, facts);
        Err(status::again(refused, Some(early)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_reader_has_a_few_answers_under_way_and_gets_no_more_until_it_takes_them() {
        let (rates, now) = (Rates::default(), Instant::now());
        let reporting = "reader/reporting/ordering";
        let held: Vec<_> = (0..READS).map(|_| rates.take(reporting, now).unwrap()).collect();
        // The same with another grant is the same reader.
        let refused = rates.take("reader/reporting/ordering/payment", now).unwrap_err();
        assert_eq!(status::reason(&refused).as_deref(), Some("TOO_MANY_AT_ONCE"));
        rates.take("reader/audit/ordering", now).unwrap();
        assert!((0..100).all(|_| rates.take("ordering", now).unwrap().is_none()));
        drop(held);
        assert_eq!((0..100).map(|_| rates.take(reporting, now).unwrap()).filter(Option::is_some).count(), 100);
    }

    fn taken(rates: &Rates, caller: &str, now: Instant) -> usize {
        (0..1_000).filter(|_| rates.take(caller, now).is_ok()).count()
    }

    #[test]
    fn a_caller_has_a_seconds_worth_at_once_and_then_what_it_earns() {
        let (rates, start) = (Rates::new("operator=50,*=200".parse().unwrap()), Instant::now());
        assert_eq!(taken(&rates, "operator", start), 50);
        assert_eq!(taken(&rates, "operator", start + Duration::from_millis(100)), 5);
        assert_eq!(taken(&rates, "operator", start + Duration::from_secs(3_600)), 50);
        assert_eq!(taken(&rates, "ordering", start), 200, "each has its own");
        assert_eq!(taken(&rates, "payment", start), 200);
    }

    #[test]
    fn whoever_is_early_is_told_how_early() {
        let (rates, start) = (Rates::new("*=1".parse().unwrap()), Instant::now());
        rates.take("operator", start).unwrap();
        let refused = rates.take("operator", start + Duration::from_millis(400)).unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert_eq!(status::reason(&refused).as_deref(), Some("RATE_LIMITED"));
        assert_eq!(refused.metadata().get("grpc-retry-pushback-ms").unwrap(), "600");
        rates.take("operator", start + Duration::from_secs(1)).unwrap();
    }

    #[test]
    fn who_is_not_limited_calls_as_often_as_he_likes() {
        for limits in ["", "operator=1"] {
            assert_eq!(taken(&Rates::new(limits.parse().unwrap()), "ordering", Instant::now()), 1_000);
        }
    }

    #[test]
    fn limits_are_read_as_they_are_written() {
        let limits: RateLimits = " operator = 50, *=2000 ,".parse().unwrap();
        assert_eq!(limits.to_string(), "operator=50,*=2000");
        for (text, why) in [
            ("operator", "is not of the form"),
            ("operator=0", "is not a number"),
            ("operator=fast", "is not a number"),
            ("=5", "names no caller"),
            ("*=5,*=6", "has two limits"),
        ] {
            assert!(text.parse::<RateLimits>().unwrap_err().contains(why), "{text}");
        }
    }
}
