//! Whether an endpoint is asked for one method: a circuit that opens after failures in a row, or when most calls fail, and closes
//! when a probe succeeds. Pure: whoever asks hands in the time.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

/// So many failures in a row open it: of three replicas, statistics would never tell.
const IN_A_ROW: u32 = 5;
/// The calls that are looked at beside: those of so many last seconds, if there are enough of them.
const WINDOW: usize = 10;
const ENOUGH: u32 = 20;
/// How long it stays open before a probe is let through.
const OPEN: Duration = Duration::from_secs(1);

/// What a call says of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Well,
    Ill,
    Nothing,
}

/// Why it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    InARow,
    Rate,
    /// The probe failed.
    Probe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Closed,
    Open {
        until: Instant,
    },
    /// A probe is under way.
    HalfOpen {
        since: Instant,
    },
}

impl State {
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half_open",
        }
    }
}

/// The circuit of one endpoint and method.
#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    in_a_row: u32,
    /// Calls and failures of each of the last seconds.
    window: [(u32, u32); WINDOW],
    /// When the window's newest second began.
    second: Instant,
    newest: usize,
}

impl Breaker {
    pub(super) const fn new(now: Instant) -> Self {
        Self { state: State::Closed, in_a_row: 0, window: [(0, 0); WINDOW], second: now, newest: 0 }
    }

    pub(super) const fn state(&self) -> State {
        self.state
    }

    /// Whether a call may be made; [`Breaker::enter`] makes it.
    pub(super) fn admits(&self, now: Instant) -> bool {
        match self.state {
            State::Closed => true,
            State::Open { until } => now >= until,
            // A probe that says nothing for so long may be lost.
            State::HalfOpen { since } => now >= since + OPEN,
        }
    }

    /// Whether it waits for a probe.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.state != State::Closed && self.admits(now)
    }

    /// A call begins. One that was admitted while the circuit was open is its probe, which this tells.
    pub(super) fn enter(&mut self, now: Instant) -> bool {
        let is_probe = self.is_due(now);
        if is_probe {
            self.state = State::HalfOpen { since: now };
        }
        is_probe
    }

    /// Learns from a call that is over, and tells if that opens the circuit. What was under way before the probe decides nothing.
    pub(super) fn leave(&mut self, said: Said, is_probe: bool, now: Instant) -> Option<Cause> {
        match (said, self.state) {
            (_, State::HalfOpen { .. }) if !is_probe => None,
            (Said::Nothing, State::HalfOpen { .. }) => {
                self.state = State::Open { until: now + OPEN };
                None
            }
            // What was under way when it opened counts no more.
            (Said::Nothing, _) | (_, State::Open { .. }) => None,
            (Said::Well, State::Closed) => {
                self.in_a_row = 0;
                self.count(0, now);
                None
            }
            (Said::Well, State::HalfOpen { .. }) => {
                *self = Self::new(now);
                None
            }
            (Said::Ill, State::Closed) => {
                self.in_a_row += 1;
                self.count(1, now);
                let cause = self.cause()?;
                self.open(now);
                Some(cause)
            }
            (Said::Ill, State::HalfOpen { .. }) => {
                self.open(now);
                Some(Cause::Probe)
            }
        }
    }

    fn open(&mut self, now: Instant) {
        // Not all at once, when many have opened together.
        self.state = State::Open { until: now + OPEN / 2 + crate::jitter(OPEN / 2) };
    }

    fn cause(&self) -> Option<Cause> {
        if self.in_a_row >= IN_A_ROW {
            return Some(Cause::InARow);
        }
        let (calls, failures) =
            self.window.iter().fold((0, 0), |(calls, failures), of| (calls + of.0, failures + of.1));
        (calls >= ENOUGH && failures * 2 >= calls).then_some(Cause::Rate)
    }

    fn count(&mut self, failures: u32, now: Instant) {
        let passed = usize::try_from(now.saturating_duration_since(self.second).as_secs()).unwrap_or(WINDOW);
        for _ in 0..passed.min(WINDOW) {
            self.newest = (self.newest + 1) % WINDOW;
            self.window[self.newest] = (0, 0);
        }
        if passed > 0 {
            self.second = now;
        }
        let (calls, failed) = &mut self.window[self.newest];
        *calls += 1;
        *failed += failures;
    }
}

/// What the end of a call says of the endpoint. Whoever refuses a request is well; who turns calls away because there are too
/// many is busy, not ill. A deadline says something only where there was time enough.
pub(super) const fn said(code: Code, had_time: bool) -> Said {
    match code {
        Code::Unavailable | Code::Internal | Code::Unknown | Code::DataLoss => Said::Ill,
        Code::DeadlineExceeded if had_time => Said::Ill,
        Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted => Said::Nothing,
        _ => Said::Well,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &mut Breaker, now: Instant) -> Option<Cause> {
        let is_probe = breaker.enter(now);
        breaker.leave(Said::Ill, is_probe, now)
    }

    fn succeed(breaker: &mut Breaker, now: Instant) {
        let is_probe = breaker.enter(now);
        assert_eq!(breaker.leave(Said::Well, is_probe, now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it_and_one_probe_closes_it() {
        let now = Instant::now();
        let mut breaker = Breaker::new(now);
        let causes: Vec<_> = (0..IN_A_ROW).map(|_| fail(&mut breaker, now)).collect();
        assert_eq!(causes.last(), Some(&Some(Cause::InARow)));
        assert!(causes[..causes.len() - 1].iter().all(Option::is_none) && !breaker.admits(now));
        let later = now + OPEN;
        assert!(breaker.admits(later));
        assert!(breaker.enter(later));
        assert!(!breaker.admits(later), "one probe at a time");
        assert_eq!(breaker.leave(Said::Well, false, later), None);
        assert_ne!(breaker.state(), State::Closed, "what was under way before decides nothing");
        assert_eq!(breaker.leave(Said::Well, true, later), None);
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(fail(&mut breaker, later), None, "it begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_fails_opens_it_again_and_one_that_is_lost_makes_room() {
        let now = Instant::now();
        let mut breaker = Breaker::new(now);
        for _ in 0..IN_A_ROW {
            fail(&mut breaker, now);
        }
        let later = now + OPEN;
        assert_eq!(fail(&mut breaker, later), Some(Cause::Probe));
        assert!(!breaker.admits(later));
        let later = later + OPEN;
        breaker.enter(later);
        assert!(breaker.admits(later + OPEN), "the probe was lost");
        breaker.leave(Said::Nothing, true, later);
        assert!(!breaker.admits(later) && breaker.admits(later + OPEN), "the probe's caller went away");
    }

    #[tokio::test(start_paused = true)]
    async fn failures_among_successes_open_it_when_they_are_half_of_enough() {
        let now = Instant::now();
        let mut breaker = Breaker::new(now);
        for _ in 0..ENOUGH / 2 - 1 {
            succeed(&mut breaker, now);
            assert_eq!(fail(&mut breaker, now), None);
        }
        succeed(&mut breaker, now);
        assert_eq!(fail(&mut breaker, now), Some(Cause::Rate));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_long_past_no_longer_counts() {
        let now = Instant::now();
        let mut breaker = Breaker::new(now);
        for step in 0..ENOUGH {
            succeed(&mut breaker, now);
            let later = now + Duration::from_secs(u64::from(step) * 11);
            assert_eq!(fail(&mut breaker, later), None);
            succeed(&mut breaker, later);
        }
    }

    #[test]
    fn only_what_is_the_servers_fault_counts() {
        assert_eq!(said(Code::Unavailable, false), Said::Ill);
        assert_eq!(
            (said(Code::DeadlineExceeded, true), said(Code::DeadlineExceeded, false)),
            (Said::Ill, Said::Nothing)
        );
        assert_eq!((said(Code::NotFound, true), said(Code::ResourceExhausted, true)), (Said::Well, Said::Nothing));
    }
}
