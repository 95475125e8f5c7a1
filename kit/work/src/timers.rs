//! Deadlines: each fires in the transaction that deletes its row, so it fires once, and after downtime it fires late.

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::{Context, KeyValue};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_fault::{Point, hit};
use tradewind_sql::Backoff;
use tradewind_store::{Metadata, Store, Tx};
use tradewind_telemetry::{Doing, Kind, Part, names, parent, trace_id};

use super::queue::DueTimer;
use super::{owed, queue};
use crate::metrics::metrics;

const BATCH: usize = 64;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30));
/// The wait when nothing is due and nobody tells of a new deadline.
const POLL: Duration = Duration::from_secs(1);
const LEAST_WAIT: Duration = Duration::from_millis(1);

/// What happens when a deadline passes.
pub trait TimerHandler: Send + Sync + 'static {
    /// The name under which [`schedule`](crate::schedule) sets these deadlines.
    const NAME: &'static str;

    /// Does what the deadline is for, in the transaction that deleted it.
    ///
    /// # Errors
    /// Any error undoes the deletion, and the deadline is tried again later.
    fn fire(&self, tx: &mut Tx, key: &str, payload: &[u8]) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A deadline whose handler failed.
struct Failure {
    due: OffsetDateTime,
    attempts: u32,
    retry_at: Instant,
}

/// The worker of one kind of deadline.
pub struct Timers<T> {
    store: Store,
    handler: T,
    changed: watch::Receiver<u64>,
    failing: HashMap<String, Failure>,
    attributes: [KeyValue; 1],
}

impl<T: TimerHandler> Timers<T> {
    #[must_use]
    pub fn new(store: Store, handler: T) -> Self {
        let changed = store.subscribe(&owed::timers(T::NAME));
        Self { store, handler, changed, failing: HashMap::new(), attributes: [KeyValue::new("name", T::NAME)] }
    }

    /// Fires deadlines until `stop`.
    ///
    /// # Errors
    /// None at present.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Error> {
        while !stop.is_cancelled() {
            self.changed.mark_unchanged();
            let wait = match self.due().await {
                Ok(due) if !due.is_empty() => {
                    self.fire(&due).await;
                    continue;
                }
                Ok(_) => self.wait().await,
                Err(error) => {
                    tracing::warn!(name = T::NAME, %error, "deadlines cannot be read");
                    POLL
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                Ok(()) = self.changed.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        Ok(())
    }

    /// What is due and is not waiting for another try.
    async fn due(&mut self) -> Result<Vec<DueTimer>, Error> {
        let mut due = queue::due_timers(&self.store, T::NAME, BATCH + self.failing.len()).await?;
        self.failing.retain(|key, failure| due.iter().any(|timer| timer.key == *key && timer.due == failure.due));
        let now = Instant::now();
        due.retain(|timer| self.failing.get(&timer.key).is_none_or(|failure| failure.retry_at <= now));
        due.truncate(BATCH);
        Ok(due)
    }

    async fn wait(&self) -> Duration {
        let retry =
            self.failing.values().map(|failure| failure.retry_at.saturating_duration_since(Instant::now())).min();
        let next = match queue::next_timer(&self.store, T::NAME).await {
            // One that is due already is waiting for another try.
            Ok(Some(due)) => Duration::try_from(due - self.store.now()).ok().filter(|wait| !wait.is_zero()),
            Ok(None) => None,
            Err(error) => {
                tracing::warn!(name = T::NAME, %error, "deadlines cannot be read");
                None
            }
        };
        [retry, next].into_iter().flatten().fold(POLL, Duration::min).max(LEAST_WAIT)
    }

    /// Fires a batch in one transaction, or where that fails one by one.
    async fn fire(&mut self, due: &[DueTimer]) {
        if due.len() > 1 {
            match self.fire_all(due).await {
                Ok(()) => return self.fired(due),
                Err(error) => tracing::debug!(name = T::NAME, %error, "a batch of deadlines is tried one by one"),
            }
        }
        for timer in due {
            match self.fire_all(std::slice::from_ref(timer)).await {
                Ok(()) => self.fired(std::slice::from_ref(timer)),
                Err(error) => self.failed(timer, &error),
            }
        }
    }

    async fn fire_all(&self, due: &[DueTimer]) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        for timer in due {
            if owed::delete_timer(&tx, T::NAME, &timer.key, timer.due).await? {
                let part = firing(T::NAME, timer);
                tx.set_cause(Metadata {
                    traceparent: part.traceparent(&timer.cause.traceparent),
                    ..timer.cause.clone()
                });
                part.within(self.handler.fire(&mut tx, &timer.key, &timer.payload))
                    .await
                    .inspect_err(|error| part.fails(error.reason))?;
            }
        }
        hit(Point::TimerFired, T::NAME);
        tx.commit().await.map(drop)
    }

    fn fired(&mut self, due: &[DueTimer]) {
        metrics().timers_fired.add(u64::try_from(due.len()).unwrap_or_default(), &self.attributes);
        for timer in due {
            self.failing.remove(&timer.key);
        }
    }

    fn failed(&mut self, timer: &DueTimer, error: &Error) {
        let attempts = self.failing.get(&timer.key).map_or(0, |failure| failure.attempts);
        let trace_id = trace_id(&timer.cause.traceparent);
        if error.kind.is_transient() {
            tracing::warn!(name = T::NAME, key = timer.key, trace_id, attempts, %error, "a deadline is tried again");
        } else {
            tracing::error!(name = T::NAME, key = timer.key, trace_id, attempts, %error, "a deadline's handler failed");
        }
        metrics().timer_failures.add(1, &self.attributes);
        let retry_at = Instant::now() + BACKOFF.wait(attempts);
        let failure = Failure { due: timer.due, attempts: attempts.saturating_add(1), retry_at };
        self.failing.insert(timer.key.clone(), failure);
    }
}

/// The part in which a deadline fires: it goes on with the trace of what set it.
fn firing(name: &'static str, timer: &DueTimer) -> Part {
    let doing = Doing::new([KeyValue::new(names::TIMER, name), KeyValue::new(names::TIMER_KEY, timer.key.clone())]);
    let context = Context::new().with_value(doing.clone());
    let named = || format!("timer {name}").into();
    Part::begin(Kind::Internal, &parent(&timer.cause.traceparent), &context, named, || doing.facts().to_vec())
}
