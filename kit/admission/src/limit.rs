//! How many calls a server works on at once. It is learned from how much longer calls take than they do while few are under way:
//! the gradient of Netflix's `concurrency-limits` (`Gradient2Limit`: a tolerance, a growth by the square root, smoothed cuts). What is
//! usual is measured while few calls are under way, as Envoy's adaptive concurrency filter measures its `minRTT`, and not averaged
//! over a long time: an overload that lasts must not become what is usual.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// The limit at first, and its bounds. Fewer would keep calls apart that share a commit, and more would take memory without end.
const FIRST: f64 = 256.0;
const LEAST: f64 = 32.0;
const MOST: f64 = 2_048.0;
/// How many times as long as usual calls may take: a database that commits for many at once takes longer for each, and does more.
const TOLERANCE: f64 = 4.0;
/// What takes less than this is quick, whatever is usual. In seconds.
const QUICK: f64 = 0.002;
/// How much of a cut is made at once, and how low one may be.
const SMOOTHING: f64 = 0.5;
const STEEPEST: f64 = 0.5;
/// A window is over after so much time and so many calls, whichever comes last, or is forgotten after the longest.
const WINDOW: Duration = Duration::from_millis(100);
const ENOUGH: u32 = 10;
const FORGOTTEN: Duration = Duration::from_secs(1);
/// Of a method, so many calls in a window tell what is usual.
const TELLING: u32 = 3;
/// How much a window changes what is usual.
const WEIGHT: f64 = 0.2;
/// So many calls are few, at most.
const FEW: usize = 16;
/// Where few were never under way for so long, although the limit is reached, few are let in for a moment to measure what is usual:
/// until there are few, and then for as long again, each as long as a call or two take, within these bounds.
const STALE: Duration = Duration::from_secs(30);
const MEASURING: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(2)];

/// What was learned.
#[derive(Debug)]
pub(crate) struct Limit {
    limit: f64,
    /// What a call of a method takes while few are under way, as the logarithm of seconds: a mean of logarithms is not carried away
    /// by one call that waits for something.
    usual: HashMap<&'static str, f64>,
    /// When that was measured last, or could not be.
    tried: Instant,
    measuring: Option<Measuring>,
    window: Window,
}

/// A time in which few are let in.
#[derive(Debug)]
struct Measuring {
    until: Instant,
    lasts: Duration,
    /// Since when few are under way.
    since: Option<Instant>,
}

/// Calls that have ended since.
#[derive(Debug)]
struct Window {
    began: Instant,
    /// The most that were under way at once.
    most: usize,
    calls: u32,
    took: HashMap<&'static str, Mean>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    calls: u32,
}

impl Mean {
    fn value(self) -> f64 {
        self.sum / f64::from(self.calls)
    }
}

impl Window {
    fn new(began: Instant, most: usize) -> Self {
        Self { began, most, calls: 0, took: HashMap::new() }
    }
}

impl Limit {
    pub(crate) fn new(now: Instant) -> Self {
        let window = Window::new(now, 0);
        Self { limit: FIRST, usual: HashMap::new(), tried: now, measuring: None, window }
    }

    /// Calls that may be under way at once.
    pub(crate) fn most(&self, now: Instant) -> usize {
        // Where no call succeeds, nobody says that measuring is over.
        let is_measuring = self.measuring.as_ref().is_some_and(|measuring| now < measuring.until);
        if is_measuring { self.few() } else { whole(self.limit) }
    }

    /// One more call is under way, so many in all.
    pub(crate) fn began(&mut self, under_way: usize) {
        self.window.most = self.window.most.max(under_way);
    }

    /// A call of `method` that began `took` ago was given up; so many are still under way. It would have taken longer.
    pub(crate) fn given_up(&mut self, method: &'static str, took: Duration, under_way: usize, now: Instant) {
        if self.usual.get(method).is_some_and(|usual| seconds(took) > *usual) {
            self.ended(method, took, under_way, now);
        }
    }

    /// A call of `method` that began `took` ago has succeeded; so many are still under way. One that failed tells nothing: who refuses
    /// is quick.
    pub(crate) fn ended(&mut self, method: &'static str, took: Duration, under_way: usize, now: Instant) {
        let few = self.few();
        if let Some(measuring) = &mut self.measuring {
            if measuring.since.is_none() && under_way <= few {
                (measuring.since, measuring.until) = (Some(now), now + measuring.lasts);
                self.window = Window::new(now, under_way);
            }
            // What began among many has waited for them.
            let began = now.checked_sub(took).unwrap_or(now);
            if measuring.since.is_some_and(|since| began >= since) {
                self.window.take(method, took);
            }
            if now >= measuring.until || self.window.calls >= ENOUGH {
                self.measured(now, under_way);
            }
            return;
        }
        self.window.take(method, took);
        let age = now.saturating_duration_since(self.window.began);
        let is_reached = self.window.most * 2 >= whole(self.limit);
        if (age >= WINDOW && self.window.calls >= ENOUGH) || (age >= FORGOTTEN && is_reached) {
            self.learn(now, under_way);
        } else if age >= FORGOTTEN {
            self.window = Window::new(now, under_way);
        }
    }

    /// So many calls are few.
    fn few(&self) -> usize {
        whole(self.limit / (2.0 * TOLERANCE)).min(FEW)
    }

    fn learn(&mut self, now: Instant, under_way: usize) {
        let window = std::mem::replace(&mut self.window, Window::new(now, under_way));
        let are_few = window.most <= self.few();
        let (mut slower, mut calls, mut took_all) = (0.0, 0.0, 0.0);
        for (method, mean) in window.took {
            let took = mean.value();
            if mean.calls >= TELLING {
                let usual = self.usual.entry(method).or_insert(took);
                if are_few || took < *usual {
                    *usual += WEIGHT * (took - *usual);
                }
            }
            if let Some(usual) = self.usual.get(method) {
                let weight = f64::from(mean.calls);
                took_all += weight * took;
                slower += weight * (took - usual.max(QUICK.ln()));
                calls += weight;
            }
        }
        if are_few {
            self.tried = now;
        }
        // A limit that nobody comes near has nothing to do with how long calls take.
        if calls == 0.0 || window.most * 2 < whole(self.limit) {
            return;
        }
        let gradient = (TOLERANCE / (slower / calls).exp()).clamp(STEEPEST, 1.0);
        let growth = if gradient < 1.0 { 0.0 } else { self.limit.sqrt() };
        self.limit = (self.limit * (1.0 - SMOOTHING * (1.0 - gradient)) + growth).clamp(LEAST, MOST);
        if window.most + 1 >= whole(self.limit) && now.saturating_duration_since(self.tried) >= STALE {
            let [least, most] = MEASURING;
            let lasts = Duration::from_secs_f64((2.0 * (took_all / calls).exp()).min(most.as_secs_f64())).max(least);
            self.measuring = Some(Measuring { until: now + lasts, lasts, since: None });
        }
    }

    fn measured(&mut self, now: Instant, under_way: usize) {
        let window = std::mem::replace(&mut self.window, Window::new(now, under_way));
        for (method, mean) in window.took {
            if mean.calls >= TELLING {
                self.usual.insert(method, mean.value());
            }
        }
        (self.measuring, self.tried) = (None, now);
    }
}

impl Window {
    fn take(&mut self, method: &'static str, took: Duration) {
        let mean = self.took.entry(method).or_default();
        mean.sum += seconds(took);
        mean.calls += 1;
        self.calls += 1;
    }
}

/// As a logarithm.
fn seconds(took: Duration) -> f64 {
    took.as_secs_f64().max(1e-6).ln()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is between 1 and the most there may be"
)]
fn whole(limit: f64) -> usize {
    limit.max(1.0) as usize
}

#[cfg(test)]
mod tests;
