//! A circuit breaker: when what is needed is away, work rests but for single probes, and goes on by itself.
//!
//! The state machine is pure: time and randomness are passed in. Who may try what, and which failure counts, is the user's.

mod gate;

use std::time::Duration;

use opentelemetry::KeyValue;
use tokio::time::Instant;
use tradewind_sql::Backoff;

use crate::metrics::metrics;

pub use self::gate::Gate;

/// So many failures in a row open a circuit.
const THRESHOLD: u32 = 5;
/// Waits between probes.
const PROBES: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(5));

/// What may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admits {
    Everything,
    OneProbe,
    /// Nothing before then; `None`: not before the probe under way has ended.
    Nothing(Option<Instant>),
}

/// How an outcome changed a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Opened,
    Closed,
}

#[derive(Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant, probes: u32 },
    HalfOpen { probes: u32 },
}

/// A circuit; closed at first.
#[derive(Debug)]
pub struct Circuit(State);

impl Default for Circuit {
    fn default() -> Self {
        Self(State::Closed { failures: 0 })
    }
}

impl Circuit {
    pub fn admits(&self, now: Instant) -> Admits {
        match self.0 {
            State::Closed { .. } => Admits::Everything,
            State::Open { until, .. } if until <= now => Admits::OneProbe,
            State::Open { until, .. } => Admits::Nothing(Some(until)),
            State::HalfOpen { .. } => Admits::Nothing(None),
        }
    }

    /// Something admitted begins: where one probe is admitted, it is this.
    pub fn began(&mut self) {
        if let State::Open { probes, .. } = self.0 {
            self.0 = State::HalfOpen { probes };
        }
    }

    /// There was an answer, which closes the circuit whoever got it.
    pub fn succeeded(&mut self) -> Option<Change> {
        let was = std::mem::replace(&mut self.0, State::Closed { failures: 0 });
        (!matches!(was, State::Closed { .. })).then_some(Change::Closed)
    }

    /// There was none. What was begun before the circuit opened doesn't count any more.
    pub fn failed(&mut self, now: Instant, random: u64) -> Option<Change> {
        match &mut self.0 {
            State::Closed { failures } if *failures + 1 < THRESHOLD => *failures += 1,
            State::Closed { .. } => {
                self.open(now, 0, random);
                return Some(Change::Opened);
            }
            State::Open { .. } => {}
            State::HalfOpen { probes } => {
                let probes = probes.saturating_add(1);
                self.open(now, probes, random);
            }
        }
        None
    }

    /// A probe ended without telling anything: the next may follow at once.
    pub fn abandoned(&mut self, now: Instant) {
        if let State::HalfOpen { probes } = self.0 {
            self.0 = State::Open { until: now, probes };
        }
    }

    fn open(&mut self, now: Instant, probes: u32, random: u64) {
        self.0 = State::Open { until: now + PROBES.wait_for(probes, random), probes };
    }
}

/// Tells operators how a circuit changed; `of` says what it protects, and `name` whose it is.
pub fn report(of: &'static str, name: &'static str, change: Option<Change>) {
    match change {
        Some(Change::Opened) => {
            tracing::warn!(circuit = of, name, "a circuit opened: only single probes are made until one succeeds");
        }
        Some(Change::Closed) => tracing::info!(circuit = of, name, "a circuit closed"),
        None => return,
    }
    record(of, name, change == Some(Change::Opened));
}

/// Records whether a circuit is open.
pub fn record(of: &'static str, name: &'static str, open: bool) {
    metrics().circuit_open.record(open.into(), &[KeyValue::new("circuit", of), KeyValue::new("name", name)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(now: Instant) -> Circuit {
        let mut circuit = Circuit::default();
        for _ in 1..THRESHOLD {
            assert_eq!(circuit.failed(now, u64::MAX), None);
        }
        assert_eq!(circuit.failed(now, u64::MAX), Some(Change::Opened));
        circuit
    }

    fn opens_again(circuit: &Circuit, now: Instant) -> Duration {
        match circuit.admits(now) {
            Admits::Nothing(Some(until)) => until - now,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let (mut circuit, now) = (Circuit::default(), Instant::now());
        for _ in 0..3 {
            for _ in 1..THRESHOLD {
                assert_eq!(circuit.failed(now, 0), None);
            }
            assert_eq!(circuit.succeeded(), None);
        }
        assert_eq!(circuit.admits(now), Admits::Everything);
    }

    #[test]
    fn an_open_one_admits_one_probe_after_a_wait_and_an_answer_closes_it() {
        let now = Instant::now();
        let mut circuit = opened(now);
        let later = now + opens_again(&circuit, now);
        assert_eq!(circuit.admits(later), Admits::OneProbe);
        circuit.began();
        assert_eq!(circuit.admits(later), Admits::Nothing(None));
        assert_eq!(circuit.succeeded(), Some(Change::Closed));
        assert_eq!(circuit.admits(later), Admits::Everything);
    }

    #[test]
    fn waits_between_probes_grow_to_a_limit() {
        let mut now = Instant::now();
        let mut circuit = opened(now);
        let mut ceilings = Vec::new();
        for _ in 0..6 {
            let mut shortest = opens_again(&circuit, now);
            now += shortest;
            circuit.began();
            assert_eq!(circuit.failed(now, u64::MAX), None, "it is told of once");
            shortest = opens_again(&circuit, now);
            ceilings.push(shortest.as_millis());
        }
        assert_eq!(ceilings, [1000, 2000, 4000, 5000, 5000, 5000]);
    }

    #[test]
    fn what_began_before_it_opened_moves_nothing_but_an_answer_closes_it() {
        let now = Instant::now();
        let mut circuit = opened(now);
        let wait = opens_again(&circuit, now);
        assert_eq!(circuit.failed(now, 0), None);
        assert_eq!(opens_again(&circuit, now), wait);
        assert_eq!(circuit.succeeded(), Some(Change::Closed));
    }

    #[test]
    fn an_abandoned_probe_makes_room_for_the_next() {
        let now = Instant::now();
        let mut circuit = opened(now);
        let later = now + opens_again(&circuit, now);
        circuit.began();
        circuit.abandoned(later);
        assert_eq!(circuit.admits(later), Admits::OneProbe);
    }
}
