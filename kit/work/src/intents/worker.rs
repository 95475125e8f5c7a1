//! Claims due intents and makes their calls concurrently; what they answer is settled in batches.

#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use opentelemetry::{Context, KeyValue};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_fault::{Point, hit};
use tradewind_replicas::{Roster, circuit};
use tradewind_sql::random;
use tradewind_store::{Store, Tx};
use tradewind_telemetry::{Doing, Kind, Part, names, parent};

use super::held::Held;
use super::pace::Pace;
use super::{IntentHandler, Unknown};
use crate::metrics::metrics;
use crate::queue::{Found, Intent};
use crate::{owed, queue};

/// Answers settled in one transaction.
const SETTLED: usize = 64;
/// What remains of a claim when its call has timed out, to settle the answer.
const MARGIN: Duration = Duration::from_secs(3);
/// The wait when nothing is due and nobody tells of a new intent.
const POLL: Duration = Duration::from_secs(1);
const LEAST_WAIT: Duration = Duration::from_millis(1);
const MEASURE: Duration = Duration::from_secs(5);
/// What its circuit protects.
const CIRCUIT: &str = "intent";

/// A call that ended.
pub(super) struct Called<O> {
    pub(super) intent: Intent,
    pub(super) result: Result<O, Unknown>,
    pub(super) part: Part,
}

/// The worker of one kind of intent.
pub struct Worker<H: IntentHandler> {
    pub(super) store: Store,
    pub(super) handler: Arc<H>,
    holder: Arc<str>,
    call_timeout: Duration,
    pace: Pace,
    roster: watch::Receiver<Roster>,
    /// Somebody may be gone whose claims are due.
    reclaim: bool,
    changed: watch::Receiver<u64>,
    calls: JoinSet<Called<H::Outcome>>,
    pub(super) held: Held,
    /// There may be something due that is not held.
    look: bool,
    looked: Instant,
    measured: Option<Instant>,
}

impl<H: IntentHandler> Worker<H> {
    /// A worker that makes up to `concurrency` calls at a time and gives each `call_timeout`.
    #[must_use]
    pub fn new(
        store: Store,
        handler: H,
        concurrency: usize,
        holder: Arc<str>,
        call_timeout: Duration,
        roster: watch::Receiver<Roster>,
    ) -> Self {
        circuit::record(CIRCUIT, H::KIND, false);
        Self {
            changed: store.subscribe(&owed::intents(H::KIND)),
            store,
            handler: Arc::new(handler),
            holder,
            call_timeout,
            pace: Pace::new(concurrency),
            roster,
            reclaim: true,
            calls: JoinSet::new(),
            held: Held::default(),
            look: true,
            looked: Instant::now(),
            measured: None,
        }
    }

    /// Works until `stop`; then waits up to `grace` for the calls under way and settles them.
    ///
    /// # Errors
    /// None at present.
    pub async fn run(mut self, stop: CancellationToken, grace: Duration) -> Result<(), Error> {
        if let Err(error) = queue::reclaim_intents(&self.store, H::KIND, &self.holder).await {
            tracing::warn!(kind = H::KIND, %error, "claims of an earlier life of this process have to lapse");
        }
        // Whoever claims before it is in the roster cannot be missed there.
        stop.run_until_cancelled(self.roster.wait_for(Roster::is_seated)).await;
        while !stop.is_cancelled() {
            self.reclaim().await;
            let wait = self.claim().await;
            self.measure().await;
            tokio::select! {
                () = stop.cancelled() => break,
                Some(called) = self.calls.join_next() => self.finish(called).await,
                Ok(()) = self.changed.changed() => self.look = true,
                Ok(()) = self.roster.changed() => self.reclaim = true,
                () = tokio::time::sleep(wait) => self.look = true,
            }
        }
        let deadline = Instant::now() + grace;
        while let Ok(Some(called)) = tokio::time::timeout_at(deadline, self.calls.join_next()).await {
            self.finish(called).await;
        }
        Ok(())
    }

    /// Takes up the claims of processes that are no more.
    async fn reclaim(&mut self) {
        if !self.reclaim {
            return;
        }
        match queue::reclaim_orphaned_intents(&self.store, H::KIND).await {
            Ok(0) => self.reclaim = false,
            Ok(claims) => {
                tracing::info!(kind = H::KIND, claims, "calls of a process that is no more are taken up");
                (self.reclaim, self.look) = (false, true);
            }
            Err(error) => tracing::warn!(kind = H::KIND, %error, "claims cannot be taken up; they lapse"),
        }
    }

    /// Starts as many calls as there are intents due and places free; returns when to look again.
    async fn claim(&mut self) -> Duration {
        while self.look {
            let free = self.pace.room(Instant::now(), self.calls.len());
            if free == 0 {
                break;
            }
            (self.look, self.looked) = (false, Instant::now());
            self.changed.mark_unchanged();
            let now = self.store.now();
            self.held.pass(now);
            let until = now + self.call_timeout + MARGIN;
            match self.take_up(free, until).await {
                Ok(claimed) => {
                    self.look = claimed.len() == free;
                    for intent in claimed {
                        self.start(intent, until);
                    }
                }
                Err(error) => {
                    tracing::warn!(kind = H::KIND, %error, "intents cannot be claimed");
                    self.look = true;
                    return POLL;
                }
            }
        }
        let now = Instant::now();
        if self.pace.room(now, self.calls.len()) == 0 {
            // Where it is not known for how long, the end of a call comes first.
            return self.pace.closed_for(now).unwrap_or(POLL);
        }
        let next = self.held.next().map(|due| Duration::try_from(due - self.store.now()).unwrap_or_default());
        // However many calls end meanwhile, it looks again in time.
        next.unwrap_or(POLL).min(POLL.saturating_sub(self.looked.elapsed())).max(LEAST_WAIT)
    }

    /// Claims what is due. Of a database file, which has one process, that is to hold it in memory; but nothing is called that may not
    /// be recorded, so where this process has not just written to the file, the claim is written.
    async fn take_up(&self, free: usize, until: OffsetDateTime) -> Result<Vec<Intent>, Error> {
        if !self.store.is_shared() {
            let mut found = queue::due_intents(&self.store, H::KIND, free + self.held.len()).await?;
            // What is under way is settled by its answer.
            found.erased.retain(|intent| !self.held.has(intent));
            let mut due = self.without_erased(found).await;
            due.retain(|intent| !self.held.has(intent));
            due.truncate(free);
            if due.is_empty() || self.store.has_just_written() {
                return Ok(due);
            }
        }
        let found = queue::claim_intents(&self.store, H::KIND, &self.holder, free, until).await?;
        Ok(self.without_erased(found).await)
    }

    /// Drops what cannot be done any more because whom it is about is erased.
    async fn without_erased(&self, Found { intents, erased }: Found) -> Vec<Intent> {
        for intent in erased {
            let drop = async |tx: &mut Tx| {
                let is_open = owed::delete_intent(tx, H::KIND, &intent).await?;
                if is_open {
                    tx.set_cause(intent.cause.clone());
                    self.handler.erased(tx, &intent).await?;
                }
                Ok(is_open)
            };
            match self.store.transact(drop).await {
                Ok((true, _)) => {
                    tracing::warn!(kind = H::KIND, key = intent.key, "a call is not made: whom it is about is erased");
                }
                Ok((false, _)) => {}
                Err(error) => {
                    tracing::warn!(kind = H::KIND, key = intent.key, %error, "a call about somebody erased is not dropped yet");
                }
            }
        }
        intents
    }

    fn start(&mut self, intent: Intent, until: OffsetDateTime) {
        if !self.held.take(&intent, until) {
            // Its claim lapsed while it is under way, and is renewed by that.
            return;
        }
        self.pace.began();
        let part = calling(H::KIND, &intent);
        let (handler, timeout) = (Arc::clone(&self.handler), self.call_timeout);
        self.calls.spawn(async move {
            let call = async {
                hit(Point::IntentClaimed, H::KIND);
                hit(Point::IntentCalling, H::KIND);
                let result = tokio::time::timeout(timeout, handler.call(&intent)).await;
                result.unwrap_or_else(|_| Err(Unknown(format!("nothing within {timeout:?}"))))
            };
            let result = AssertUnwindSafe(part.within(call)).catch_unwind().await;
            let result = result.unwrap_or_else(|_| Err(Unknown("the call panicked".to_owned())));
            if result.is_err() {
                part.fails("unknown");
            }
            Called { intent, result, part }
        });
    }

    /// Settles a call that ended, and all that ended with it.
    async fn finish(&mut self, called: Result<Called<H::Outcome>, tokio::task::JoinError>) {
        let mut ended = Vec::new();
        let mut next = Some(called);
        while let Some(called) = next {
            match called {
                Ok(called) => {
                    let change = match &called.result {
                        Ok(_) => self.pace.answered(),
                        Err(_) if !self.handler.knows(&called.intent) => {
                            self.pace.lost(Instant::now());
                            None
                        }
                        Err(_) => self.pace.no_answer(&called.intent.key, Instant::now(), random()),
                    };
                    circuit::report(CIRCUIT, H::KIND, change);
                    ended.push(called);
                }
                // Panics are caught, so the runtime is going down.
                Err(error) => {
                    tracing::error!(kind = H::KIND, %error, "a call was lost");
                    self.pace.lost(Instant::now());
                }
            }
            next = if ended.len() < SETTLED { self.calls.try_join_next() } else { None };
        }
        self.settle(ended).await;
    }

    async fn measure(&mut self) {
        if self.measured.is_some_and(|at| at.elapsed() < MEASURE) {
            return;
        }
        self.measured = Some(Instant::now());
        if let Ok(open) = queue::open_intents(&self.store, H::KIND).await {
            metrics().intents_open.record(open, &[KeyValue::new("kind", H::KIND)]);
        }
    }
}

/// The part in which the outside is called for an intent: it goes on with the trace of what recorded that.
fn calling(kind: &'static str, intent: &Intent) -> Part {
    let doing = Doing::new([
        KeyValue::new(names::INTENT, kind),
        KeyValue::new(names::INTENT_ACTION, intent.action.clone()),
        KeyValue::new(names::INTENT_KEY, intent.key.clone()),
        KeyValue::new(names::INTENT_ATTEMPT, i64::from(intent.attempt)),
    ]);
    let context = Context::new().with_value(doing.clone());
    let name = || format!("{kind} {}", intent.action).into();
    Part::begin(Kind::Internal, &parent(&intent.cause.traceparent), &context, name, || doing.facts().to_vec())
}
