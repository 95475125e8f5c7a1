//! What one more call at an endpoint would cost, as far as the calls before tell: the peak-sensitive moving average of Finagle's
//! `PeakEwma`, times the calls under way, times what the server says of itself, more while it is new.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// In which time what was seen loses two thirds of its weight.
const DECAY: Duration = Duration::from_secs(10);
/// For how long an endpoint that is new is asked less than the others.
const SLOW_START: Duration = Duration::from_secs(5);
/// How much less at first.
const NEW: f64 = 10.0;
/// What is thought of an endpoint that has answered nobody yet.
const UNSEEN: Duration = Duration::from_millis(5);
/// A failure counts as so many times what is usual, at most as the second: who fails fast must not look quick.
const PENALTY: f64 = 4.0;
const WORST: f64 = 1.0;

/// How an endpoint does.
#[derive(Debug)]
pub(super) struct Load {
    in_flight: AtomicUsize,
    /// In thousandths; above a thousand it is past what it wants.
    utilization: AtomicU32,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    /// In seconds; none before the first answer.
    average: Option<f64>,
    at: Instant,
    /// Since when it takes calls.
    since: Instant,
}

impl Seen {
    fn decayed(&self, now: Instant) -> Option<f64> {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.average.map(|average| average * (-passed / DECAY.as_secs_f64()).exp())
    }

    /// A sample above the average replaces it; one below lowers it by its weight.
    fn take(&mut self, sample: f64, now: Instant) {
        let weight = (-now.saturating_duration_since(self.at).as_secs_f64() / DECAY.as_secs_f64()).exp();
        self.average = Some(match self.average {
            Some(average) if sample < average => average * weight + sample * (1.0 - weight),
            _ => sample,
        });
        self.at = now;
    }
}

impl Load {
    pub(super) fn new(now: Instant) -> Self {
        let seen = Mutex::new(Seen { average: None, at: now, since: now });
        Self { in_flight: AtomicUsize::new(0), utilization: AtomicU32::new(0), seen }
    }

    /// It takes calls from now on, after it did not: what it was before counts no more.
    pub(super) fn begins_anew(&self, now: Instant) {
        let mut seen = self.seen();
        (seen.average, seen.since) = (None, now);
    }

    pub(super) fn enter(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Learns from a call that is over.
    pub(super) fn leave(&self, took: Took, now: Instant) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let mut seen = self.seen();
        match took {
            Took::Answered(time) => seen.take(time.as_secs_f64(), now),
            Took::Failed(time) => {
                let usual = seen.decayed(now).unwrap_or(UNSEEN.as_secs_f64());
                seen.take((usual * PENALTY).min(WORST).max(time.as_secs_f64()), now);
            }
            // It would have taken longer still.
            Took::Abandoned(time) if seen.decayed(now).is_none_or(|average| average < time.as_secs_f64()) => {
                seen.take(time.as_secs_f64(), now);
            }
            Took::Abandoned(_) => {}
        }
    }

    /// What the server has said: calls under way as a part of what it takes.
    pub(super) fn reported(&self, utilization: f64) {
        if utilization.is_finite() {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 10,000")]
            let thousandths = (utilization.clamp(0.0, 10.0) * 1_000.0) as u32;
            self.utilization.store(thousandths, Ordering::Relaxed);
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn utilization(&self) -> f64 {
        f64::from(self.utilization.load(Ordering::Relaxed)) / 1_000.0
    }

    /// The time that a call takes, as of now.
    pub(super) fn average(&self, now: Instant) -> Option<Duration> {
        self.seen().decayed(now).map(Duration::from_secs_f64)
    }

    /// What one more call would cost; only the order of costs means something.
    pub(super) fn cost(&self, now: Instant) -> f64 {
        let (average, age) = {
            let seen = self.seen();
            (seen.decayed(now), now.saturating_duration_since(seen.since))
        };
        let average = average.unwrap_or(UNSEEN.as_secs_f64()).max(1e-6);
        let under_way = u32::try_from(self.in_flight()).map_or(f64::MAX, f64::from) + 1.0;
        let new = (NEW * (1.0 - age.as_secs_f64() / SLOW_START.as_secs_f64())).max(1.0);
        average * under_way * (1.0 + self.utilization()) * new
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a call took, and to what end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Took {
    Answered(Duration),
    Failed(Duration),
    /// Its caller did not wait for the end.
    Abandoned(Duration),
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn answered(load: &Load, time: Duration, now: Instant) {
        load.enter();
        load.leave(Took::Answered(time), now);
    }

    fn old(now: Instant) -> Load {
        Load::new(now.checked_sub(SLOW_START).unwrap_or(now))
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_counts_at_once_and_a_quick_one_only_with_time() {
        let now = Instant::now();
        let load = Load::new(now);
        answered(&load, SECOND / 100, now);
        answered(&load, SECOND, now);
        assert_eq!(load.average(now), Some(SECOND));
        answered(&load, SECOND / 100, now);
        assert_eq!(load.average(now), Some(SECOND), "no time has passed");
        let later = now + DECAY * 3;
        answered(&load, SECOND / 100, later);
        assert!(load.average(later).is_some_and(|average| average < SECOND / 10));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_busy_or_says_so_costs_more() {
        tokio::time::advance(SLOW_START * 2).await;
        let now = Instant::now();
        let (idle, busy, loaded) = (old(now), old(now), old(now));
        for load in [&idle, &busy, &loaded] {
            answered(load, SECOND / 100, now);
        }
        busy.enter();
        loaded.reported(0.9);
        assert!(idle.cost(now) < loaded.cost(now) && loaded.cost(now) < busy.cost(now));
        loaded.reported(f64::NAN);
        assert!((loaded.utilization() - 0.9).abs() < 0.01);
    }

    #[tokio::test(start_paused = true)]
    async fn who_fails_fast_does_not_look_quick() {
        let now = Instant::now();
        let (good, bad) = (Load::new(now), Load::new(now));
        answered(&good, SECOND / 100, now);
        bad.enter();
        bad.leave(Took::Failed(SECOND / 1_000), now);
        assert!(good.cost(now) < bad.cost(now));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_new_is_asked_less_at_first() {
        let now = Instant::now();
        let load = Load::new(now);
        answered(&load, SECOND / 100, now);
        let (first, later) = (load.cost(now), load.cost(now + SLOW_START));
        assert!(first > later * 5.0, "{first} {later}");
    }
}
