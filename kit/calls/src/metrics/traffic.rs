//! The calls of the last minute to one peer, for whoever asks the process itself. Durations are counted within the bounds of gRPC's
//! histograms, so that what is told here is what a dashboard shows.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::SECONDS;

/// The window, in slots that are forgotten one by one.
const SLOTS: usize = 12;
const SLOT: Duration = Duration::from_secs(5);
/// One for each bound, and one for what is beyond the last.
const RANGES: usize = SECONDS.len() + 1;
/// Less is not told of as a rate.
const LEAST: Duration = Duration::from_secs(1);

/// Calls to a peer, of late.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// The time that is looked back on.
    pub window: Duration,
    /// Calls that ended within it, each once however often it was repeated.
    pub calls: u32,
    /// Those of them that failed, and not for what was asked.
    pub failed: u32,
    /// Within which time half of the unary calls ended; none where there was none.
    pub p50: Option<Duration>,
    /// Within which time 99 of 100 did.
    pub p99: Option<Duration>,
}

impl Traffic {
    /// Calls a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        f64::from(self.calls) / self.window.max(LEAST).as_secs_f64()
    }

    /// So many of a hundred calls that failed.
    #[must_use]
    pub fn failed_percent(&self) -> f64 {
        f64::from(self.failed) * 100.0 / f64::from(self.calls.max(1))
    }
}

#[derive(Clone, Copy)]
struct Slot {
    /// Counts the slots since the beginning; what is too old holds nothing.
    number: u64,
    calls: u32,
    failed: u32,
    took: [u32; RANGES],
}

impl Slot {
    const fn empty(number: u64) -> Self {
        Self { number, calls: 0, failed: 0, took: [0; RANGES] }
    }
}

/// Counts calls. Its lock is held for a few additions.
pub(super) struct Window {
    began: Instant,
    slots: Mutex<[Slot; SLOTS]>,
}

impl Window {
    pub(super) const fn new(now: Instant) -> Self {
        Self { began: now, slots: Mutex::new([Slot::empty(0); SLOTS]) }
    }

    /// A call has ended; one that lasts for as long as somebody listens says nothing by how long it took.
    pub(super) fn ended(&self, failed: bool, took: Option<Duration>, now: Instant) {
        let (number, at) = self.slot(now);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = slots.get_mut(at) else { return };
        if slot.number != number {
            *slot = Slot::empty(number);
        }
        slot.calls += 1;
        slot.failed += u32::from(failed);
        if let Some(took) = took {
            let seconds = took.as_secs_f64();
            slot.took[SECONDS.partition_point(|bound| *bound < seconds)] += 1;
        }
    }

    pub(super) fn traffic(&self, now: Instant) -> Traffic {
        let ((number, _), age) = (self.slot(now), now.saturating_duration_since(self.began));
        let mut sum = Slot::empty(number);
        for slot in &*self.slots.lock().unwrap_or_else(PoisonError::into_inner) {
            if slot.number + SLOTS as u64 > number {
                sum.calls += slot.calls;
                sum.failed += slot.failed;
                sum.took.iter_mut().zip(slot.took).for_each(|(sum, calls)| *sum += calls);
            }
        }
        let first = number.saturating_sub(SLOTS as u64 - 1);
        Traffic {
            window: age.saturating_sub(SLOT.saturating_mul(u32::try_from(first).unwrap_or(u32::MAX))),
            calls: sum.calls,
            failed: sum.failed,
            p50: within(&sum.took, 0.50),
            p99: within(&sum.took, 0.99),
        }
    }

    fn slot(&self, now: Instant) -> (u64, usize) {
        let number = now.saturating_duration_since(self.began).as_secs() / SLOT.as_secs();
        (number, usize::try_from(number % SLOTS as u64).unwrap_or_default())
    }
}

/// The time within which this part of the calls ended, as Prometheus' `histogram_quantile` finds it.
fn within(took: &[u32; RANGES], part: f64) -> Option<Duration> {
    let all: u32 = took.iter().sum();
    let (rank, mut before) = (f64::from(all) * part, 0);
    for (at, calls) in took.iter().enumerate().filter(|(_, calls)| **calls > 0) {
        if f64::from(before + calls) >= rank {
            let below = at.checked_sub(1).map_or(0.0, |below| SECONDS[below]);
            let bound = SECONDS.get(at).copied().unwrap_or(below);
            let seconds = below + (bound - below) * (rank - f64::from(before)) / f64::from(*calls);
            return Some(Duration::from_secs_f64(seconds));
        }
        before += calls;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_ended_within_a_minute_is_told_and_what_is_older_is_forgotten() {
        let began = Instant::now();
        let window = Window::new(began);
        assert_eq!(window.traffic(began), Traffic::default());
        for second in 0..20 {
            window.ended(second % 4 == 0, Some(2 * MS), began + SLOT * second / 5);
        }
        let traffic = window.traffic(began + 4 * SLOT);
        assert_eq!((traffic.window, traffic.calls, traffic.failed), (4 * SLOT, 20, 5));
        assert_eq!((traffic.rate(), traffic.failed_percent()), (1.0, 25.0));

        let later = window.traffic(began + 13 * SLOT);
        assert_eq!((later.window, later.calls), (12 * SLOT - SLOT, 10), "those of the first ten seconds are gone");
        window.ended(false, None, began + 13 * SLOT);
        let much_later = window.traffic(began + 500 * SLOT + SLOT / 2);
        assert_eq!(much_later, Traffic { window: 11 * SLOT + SLOT / 2, ..Traffic::default() });
    }

    #[test]
    fn times_are_those_of_unary_calls_whatever_comes_of_them() {
        let now = Instant::now();
        let window = Window::new(now);
        for call in 0..100 {
            window.ended(call % 2 == 0, Some(if call < 98 { 2 * MS } else { 350 * MS }), now);
        }
        window.ended(false, None, now);
        window.ended(false, Some(Duration::from_secs(1_000)), now);
        let Traffic { p50: Some(half), p99: Some(most), calls: 102, .. } = window.traffic(now) else {
            panic!("{:?}", window.traffic(now))
        };
        assert!((MS..=2 * MS).contains(&half), "{half:?}");
        assert!((300 * MS..=400 * MS).contains(&most), "{most:?}");
    }

    #[test]
    fn a_first_moment_is_no_rate() {
        let now = Instant::now();
        let window = Window::new(now);
        window.ended(false, Some(MS), now);
        assert!((window.traffic(now + MS).rate() - 1.0).abs() < f64::EPSILON);
    }
}
