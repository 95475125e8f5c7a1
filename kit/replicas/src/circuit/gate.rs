//! A circuit that the readers of one consumer share: what they all need is the database and whatever their reactions ask for.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;
use tradewind_sql::random;

use super::{Admits, Circuit, record, report};

const OF: &str = "reader";

/// Lets transactions begin as the circuit allows.
pub struct Gate {
    name: &'static str,
    circuit: Mutex<Circuit>,
    /// Told whenever the circuit may admit more than before.
    changed: watch::Sender<()>,
}

impl Gate {
    pub fn new(name: &'static str) -> Self {
        record(OF, name, false);
        Self { name, circuit: Mutex::new(Circuit::default()), changed: watch::Sender::new(()) }
    }

    /// Waits until a transaction may begin.
    pub async fn enter(&self) -> Pass<'_> {
        let mut changed = self.changed.subscribe();
        loop {
            let until = match self.admit() {
                Ok(pass) => return pass,
                Err(until) => until,
            };
            let due = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = changed.changed() => {}
                () = due => {}
            }
        }
    }

    fn admit(&self) -> Result<Pass<'_>, Option<Instant>> {
        let mut circuit = self.circuit();
        match circuit.admits(Instant::now()) {
            Admits::Everything => Ok(Pass { gate: self, probe: false }),
            Admits::OneProbe => {
                circuit.began();
                Ok(Pass { gate: self, probe: true })
            }
            Admits::Nothing(until) => Err(until),
        }
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to run one transaction. Dropped without an outcome, it says nothing about what is needed.
#[must_use]
pub struct Pass<'a> {
    gate: &'a Gate,
    probe: bool,
}

impl Pass<'_> {
    /// Everything that was needed was there.
    pub fn succeeded(mut self) {
        self.probe = false;
        let change = self.gate.circuit().succeeded();
        report(OF, self.gate.name, change);
        if change.is_some() {
            self.gate.changed.send_replace(());
        }
    }

    /// Something that was needed was away.
    pub fn failed(mut self) {
        self.probe = false;
        let change = self.gate.circuit().failed(Instant::now(), random());
        report(OF, self.gate.name, change);
        // From here on, whoever waits for the probe's end has a time to wait for.
        self.gate.changed.send_replace(());
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.probe {
            self.gate.circuit().abandoned(Instant::now());
            self.gate.changed.send_replace(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures::FutureExt;

    use super::*;

    async fn open(gate: &Gate) {
        for _ in 0..super::super::THRESHOLD {
            gate.enter().await.failed();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn while_it_is_open_one_probe_at_a_time_gets_through() {
        let gate = Gate::new("one_probe");
        open(&gate).await;
        let probe = gate.enter().await;
        assert!(gate.enter().now_or_never().is_none());
        probe.failed();
        let probe = gate.enter().await;
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(gate.enter().now_or_never().is_none());
        drop(probe);
        assert!(gate.enter().now_or_never().is_some(), "an abandoned probe is followed by another");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_succeeds_lets_everybody_in_at_once() {
        let gate = Arc::new(Gate::new("everybody"));
        open(&gate).await;
        let probe = gate.enter().await;
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let gate = Arc::clone(&gate);
                tokio::spawn(async move { gate.enter().await.succeeded() })
            })
            .collect();
        tokio::task::yield_now().await;
        probe.succeeded();
        let let_in = Instant::now();
        for waiting in waiting {
            waiting.await.unwrap();
        }
        assert_eq!(Instant::now(), let_in);
    }
}
