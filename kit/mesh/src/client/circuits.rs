//! The circuits of an endpoint, one for each method that it was asked for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::breaker::{Breaker, State};

#[derive(Default)]
pub(super) struct Circuits(Mutex<HashMap<&'static str, Breaker>>);

impl Circuits {
    /// Whether a call of `method` is let through.
    pub(super) fn admits(&self, method: &'static str, now: Instant) -> bool {
        self.all().get(method).is_none_or(|breaker| breaker.admits(now))
    }

    /// Whether the one of `method` waits for a probe.
    pub(super) fn is_due(&self, method: &'static str, now: Instant) -> bool {
        self.all().get(method).is_some_and(|breaker| breaker.is_due(now))
    }

    /// Every one that was used, by method.
    pub(super) fn states(&self) -> Vec<(&'static str, State)> {
        self.all().iter().map(|(method, breaker)| (*method, breaker.state())).collect()
    }

    /// Does something with the one of `method`, now.
    pub(super) fn with<T>(&self, method: &'static str, then: impl FnOnce(&mut Breaker, Instant) -> T) -> T {
        let now = Instant::now();
        then(self.all().entry(method).or_insert_with(|| Breaker::new(now)), now)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<&'static str, Breaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
