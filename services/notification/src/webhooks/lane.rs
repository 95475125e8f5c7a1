//! Telling one endpoint. Each has a lane of its own, with requests, a circuit and rests that are nobody else's, so that one that is slow,
//! dead or lies delays no other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_replicas::Roster;
use tradewind_replicas::circuit::{Admits, Change, Circuit};
use tradewind_sql::{Backoff, micros, random};
use tradewind_store::{Store, Tx};

use super::endpoints::{Endpoint, Endpoints};
use super::post::{Post, Verdict};
use super::queue::{self, Came, Due, Made};
use super::rules::Rules;
use super::{keep, metrics};

/// Requests to one endpoint at a time.
const AT_ONCE: usize = 4;
/// How long it is before somebody looks who was not told that anything is due: another process may have put it down.
const POLL: Duration = Duration::from_secs(2);
/// The wait before what has come of requests is written down again.
const RECORD: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));

/// What every lane works with.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) post: Post,
    pub(crate) rules: Rules,
    /// How many circuits are open.
    pub(crate) open: AtomicU64,
}

/// The name of the turn in which an endpoint is told.
pub(crate) fn turn(endpoint_id: &str) -> String {
    format!("webhook/{endpoint_id}")
}

/// The lane of one endpoint.
pub(crate) struct Lane {
    shared: Arc<Shared>,
    id: String,
    circuit: Circuit,
    /// Before then no request is made.
    rests_until: Instant,
    requests: JoinSet<(Due, Verdict)>,
    /// The events of those.
    under_way: BTreeSet<String>,
    /// When a request is due that is not yet, as far as is known here.
    next: Option<Instant>,
}

impl Lane {
    pub(crate) fn new(shared: Arc<Shared>, id: String) -> Self {
        let (circuit, requests, under_way) = (Circuit::default(), JoinSet::new(), BTreeSet::new());
        Self { shared, id, circuit, rests_until: Instant::now(), requests, under_way, next: None }
    }

    /// Tells the endpoint for as long as it is to be told, by this process, and until `stop`; then waits for what is under way.
    pub(crate) async fn run(mut self, mut roster: watch::Receiver<Roster>, stop: CancellationToken) {
        let (mut known, turn) = (self.shared.endpoints.changes(), turn(&self.id));
        while !stop.is_cancelled() && roster.borrow_and_update().is_my_turn(&turn) {
            known.mark_unchanged();
            let Some(endpoint) = self.shared.endpoints.get(&self.id) else { break };
            let wait = self.begin(&endpoint).await;
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = self.requests.join_next() => self.finish(ended.ok()).await,
                () = endpoint.due.notified() => {}
                Ok(()) = known.changed() => {}
                Ok(()) = roster.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        while let Some(ended) = self.requests.join_next().await {
            self.finish(ended.ok()).await;
        }
        self.closed();
    }

    /// Begins what is due and may begin; returns when to look again.
    async fn begin(&mut self, endpoint: &Arc<Endpoint>) -> Duration {
        let now = Instant::now();
        let room = self.room(now);
        if room == 0 {
            return self.rests_for(now);
        }
        self.next = self.next.filter(|next| *next > now);
        let due = match queue::due(&self.shared.store, &self.id, room + self.under_way.len()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(endpoint_id = self.id, %error, "what an endpoint is to be told cannot be read");
                return POLL;
            }
        };
        let fresh: Vec<_> = due.into_iter().filter(|due| !self.under_way.contains(&due.event_id)).take(room).collect();
        for due in fresh {
            self.start(endpoint, due);
        }
        self.next.map_or(POLL, |next| next.saturating_duration_since(now).min(POLL))
    }

    /// How long nothing may begin; where that is not known, the end of a request comes first.
    fn rests_for(&self, now: Instant) -> Duration {
        let until = match self.circuit.admits(now) {
            Admits::Nothing(Some(until)) => until.max(self.rests_until),
            _ => self.rests_until,
        };
        if until > now { (until - now).min(POLL) } else { POLL }
    }

    /// How many requests may begin.
    fn room(&self, now: Instant) -> usize {
        let free = AT_ONCE.saturating_sub(self.under_way.len());
        match self.circuit.admits(now) {
            _ if now < self.rests_until => 0,
            Admits::Everything => free,
            Admits::OneProbe => free.min(1),
            Admits::Nothing(_) => 0,
        }
    }

    fn start(&mut self, endpoint: &Arc<Endpoint>, due: Due) {
        self.circuit.began();
        self.under_way.insert(due.event_id.clone());
        let (shared, endpoint) = (Arc::clone(&self.shared), Arc::clone(endpoint));
        self.requests.spawn(async move {
            let verdict = shared.post.tell(&endpoint, &due, shared.store.now()).await;
            (due, verdict)
        });
    }

    /// Takes in a request that has ended, and all that ended with it.
    async fn finish(&mut self, ended: Option<(Due, Verdict)>) {
        let mut all: Vec<_> = ended.into_iter().collect();
        while let Some(more) = self.requests.try_join_next() {
            all.extend(more.ok());
        }
        if self.requests.is_empty() {
            // Of one that has panicked nobody knows which it was.
            self.under_way.clear();
        }
        if all.is_empty() {
            self.circuit.abandoned(Instant::now());
            return;
        }
        let gone = all.iter().any(|(_, verdict)| *verdict == Verdict::Gone);
        let took = all.iter().any(|(_, verdict)| matches!(verdict, Verdict::Taken(_)));
        let made: Vec<_> = all.into_iter().map(|(due, verdict)| self.take_in(due, verdict)).collect();
        let mut attempt = 0;
        while let Err(error) = self.record(&made, took, gone).await {
            tracing::warn!(endpoint_id = self.id, %error, attempt, "what came of a webhook cannot be written down");
            if attempt >= 5 {
                break;
            }
            tokio::time::sleep(RECORD.wait(attempt)).await;
            attempt += 1;
        }
        for made in &made {
            self.under_way.remove(&made.event_id);
        }
    }

    /// What is written down of a request; the circuit hears of it as well.
    fn take_in(&mut self, due: Due, verdict: Verdict) -> Made {
        let (now, attempts) = (Instant::now(), due.attempts.saturating_add(1));
        let (status, failure, rest) = match verdict {
            Verdict::Taken(status) => {
                let change = self.circuit.succeeded();
                self.tell_of(change);
                return Made {
                    event_id: due.event_id,
                    attempts,
                    status,
                    failure: String::new(),
                    came: Came::Delivered,
                };
            }
            Verdict::Gone => (410, "HTTP_410".to_owned(), None),
            Verdict::Not { status, why, rest } => (status, why, rest),
        };
        let change = self.circuit.failed(now, random());
        self.tell_of(change);
        if let Some(rest) = rest {
            self.rests_until = self.rests_until.max(now + rest);
        }
        let is_last = status == 410 || attempts >= i64::from(self.shared.rules.attempts.get());
        let came = if is_last {
            tracing::error!(
                endpoint_id = self.id,
                event_id = due.event_id,
                event = due.event_type,
                failure,
                attempts,
                "an endpoint is told of an event no more"
            );
            Came::GivenUp
        } else {
            let wait = self.shared.rules.wait_after(attempts).max(rest.unwrap_or_default());
            let next = now + wait;
            self.next = Some(self.next.map_or(next, |before| before.min(next)));
            Came::Again(self.shared.store.now() + wait)
        };
        Made { event_id: due.event_id, attempts, status, failure, came }
    }

    /// Writes down what came of requests, and what follows for the endpoint.
    async fn record(&self, made: &[Made], took: bool, gone: bool) -> Result<(), Error> {
        let (shared, id) = (&self.shared, self.id.as_str());
        let since = shared.endpoints.get(id).and_then(|endpoint| endpoint.failing_since);
        let now = micros(shared.store.now());
        let fails_for =
            Duration::from_micros(since.map_or(0, |since| now.saturating_sub(since)).try_into().unwrap_or(0));
        let over = if gone { Some("GONE") } else { (!took && fails_for >= shared.rules.failing).then_some("FAILING") };
        let changes = over.is_some() || took == since.is_some();
        let record = async |tx: &mut Tx| {
            for made in made {
                queue::settle(tx, id, made).await?;
            }
            if changes {
                keep::fails(tx.conn(), id, (!took).then_some(since.unwrap_or(now))).await?;
            }
            if let Some(reason) = over {
                keep::disable(tx, id, reason).await?;
            }
            Ok(())
        };
        shared.store.transact(record).await?;
        made.iter().for_each(count);
        if changes && let Err(error) = shared.endpoints.look(shared.store.command_reader()).await {
            tracing::warn!(%error, "who is told of events is looked up later");
        }
        Ok(())
    }

    fn tell_of(&self, change: Option<Change>) {
        match change {
            Some(Change::Opened) => {
                self.shared.open.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(
                    endpoint_id = self.id,
                    "an endpoint takes nothing: single probes are made until it does"
                );
            }
            Some(Change::Closed) => {
                self.shared.open.fetch_sub(1, Ordering::Relaxed);
                tracing::info!(endpoint_id = self.id, "an endpoint takes what it is told again");
            }
            None => {}
        }
    }

    /// Its circuit is no more.
    fn closed(&mut self) {
        if self.circuit.succeeded().is_some() {
            self.shared.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn count(made: &Made) {
    metrics::requested(match made.came {
        Came::Delivered => "taken",
        Came::Again(_) => "again",
        Came::GivenUp => "given_up",
    });
}
