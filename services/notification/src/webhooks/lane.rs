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
/// The status of an answer by which nobody is to be told there any more.
const GONE: u16 = 410;
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
    /// As it was when it was looked last.
    endpoint: Arc<Endpoint>,
    circuit: Circuit,
    /// Before then no request is made.
    rests_until: Instant,
    /// Since when it has taken nothing, as this lane has written down.
    failing_since: Option<i64>,
    requests: JoinSet<(Due, Verdict)>,
    /// The events of those.
    under_way: BTreeSet<String>,
    /// When a request is due that is not yet, as far as is known here.
    next: Option<Instant>,
}

impl Lane {
    pub(crate) fn new(shared: Arc<Shared>, endpoint: Arc<Endpoint>) -> Self {
        let (circuit, requests, under_way) = (Circuit::default(), JoinSet::new(), BTreeSet::new());
        let (rests_until, failing_since) = (Instant::now(), endpoint.row.failing_since);
        Self { shared, endpoint, circuit, rests_until, failing_since, requests, under_way, next: None }
    }

    /// Tells the endpoint for as long as it is to be told, by this process, and until `stop`; then waits for what is under way.
    pub(crate) async fn run(mut self, mut roster: watch::Receiver<Roster>, stop: CancellationToken) {
        let turn = turn(self.endpoint.id());
        while !stop.is_cancelled() && roster.borrow_and_update().is_my_turn(&turn) {
            let Some(endpoint) = self.shared.endpoints.get(self.endpoint.id()) else { break };
            self.take(endpoint);
            let wait = self.begin().await;
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = self.requests.join_next() => self.finish(ended.ok()).await,
                () = self.endpoint.due.notified() => {}
                () = self.shared.endpoints.changes(&self.endpoint) => {}
                Ok(()) = roster.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        while let Some(ended) = self.requests.join_next().await {
            self.finish(ended.ok()).await;
        }
        self.closed();
    }

    /// Takes the endpoint as it is now. Where somebody has changed it, what it rested for counts no more.
    fn take(&mut self, endpoint: Arc<Endpoint>) {
        if endpoint.row.updated != self.endpoint.row.updated {
            self.closed();
            (self.rests_until, self.next) = (Instant::now(), None);
            self.failing_since = endpoint.row.failing_since;
        }
        self.endpoint = endpoint;
    }

    /// Begins what is due and may begin; returns when to look again.
    async fn begin(&mut self) -> Duration {
        let now = Instant::now();
        let room = self.room(now);
        if room == 0 {
            return self.rests_for(now);
        }
        self.next = self.next.filter(|next| *next > now);
        match queue::due(&self.shared.store, self.endpoint.id(), room, &self.under_way).await {
            Ok(due) => due.into_iter().for_each(|due| self.start(due)),
            Err(error) => {
                let endpoint_id = self.endpoint.id();
                tracing::warn!(endpoint_id, %error, "what an endpoint is to be told cannot be read");
                return POLL;
            }
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

    fn start(&mut self, mut due: Due) {
        self.circuit.began();
        self.under_way.insert(due.event_id.clone());
        let (shared, endpoint) = (Arc::clone(&self.shared), Arc::clone(&self.endpoint));
        self.requests.spawn(async move {
            let verdict = shared.post.tell(&endpoint, &mut due, shared.store.now()).await;
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
        let made: Vec<_> = all.into_iter().map(|(due, verdict)| self.take_in(due, verdict)).collect();
        let mut attempt = 0;
        while let Err(error) = self.record(&made).await {
            let endpoint_id = self.endpoint.id();
            tracing::warn!(endpoint_id, %error, attempt, "what came of a webhook cannot be written down");
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
        let Due { event_id, event_type, attempts, .. } = due;
        let attempts = attempts.saturating_add(1);
        let (status, failure, came) = match verdict {
            Verdict::Taken(status) => {
                let change = self.circuit.succeeded();
                self.tell_of(change);
                (status, String::new(), Came::Delivered)
            }
            Verdict::Gone => (GONE, format!("HTTP_{GONE}"), self.failed(attempts, true, None)),
            Verdict::Not { status, why, rest } => (status, why, self.failed(attempts, false, rest)),
        };
        Made { event_id, event_type, attempts, status, failure, came }
    }

    /// What comes of a request that was not taken.
    fn failed(&mut self, attempts: i64, is_gone: bool, rest: Option<Duration>) -> Came {
        let now = Instant::now();
        let change = self.circuit.failed(now, random());
        self.tell_of(change);
        if let Some(rest) = rest {
            self.rests_until = self.rests_until.max(now + rest);
        }
        if is_gone || attempts >= i64::from(self.shared.rules.attempts.get()) {
            return Came::GivenUp;
        }
        let wait = self.shared.rules.wait_after(attempts).max(rest.unwrap_or_default());
        let next = now + wait;
        self.next = Some(self.next.map_or(next, |before| before.min(next)));
        Came::Again(self.shared.store.now() + wait)
    }

    /// Writes down what came of requests, and what follows for the endpoint.
    async fn record(&mut self, made: &[Made]) -> Result<(), Error> {
        let (shared, id, since) = (&self.shared, self.endpoint.id(), self.failing_since);
        let now = micros(shared.store.now());
        let took = made.iter().any(|made| matches!(made.came, Came::Delivered));
        let gives_up = made.iter().any(|made| matches!(made.came, Came::GivenUp));
        let over = self.over(made, took, now);
        let record = async |tx: &mut Tx| {
            let mut written = Vec::with_capacity(made.len());
            for made in made {
                written.push(queue::settle(tx, id, made).await?);
            }
            // Who is to be told nothing fails at nothing.
            let rests = took || (gives_up && queue::waiting(tx.conn(), id, 1).await? == 0);
            let failing = if rests { None } else { since.or(Some(now)) };
            if failing != since {
                keep::fails(tx.conn(), id, failing).await?;
            }
            if let Some(reason) = over {
                keep::disable(tx, id, reason).await?;
            }
            Ok((failing, written))
        };
        let ((failing, written), _) = shared.store.transact(record).await?;
        made.iter().zip(written).filter(|(_, written)| *written).for_each(|(made, _)| tell_what_came(id, made));
        if over.is_some()
            && let Err(error) = shared.endpoints.look(shared.store.command_reader()).await
        {
            tracing::warn!(%error, "who is told of events is looked up later");
        }
        self.failing_since = failing;
        Ok(())
    }

    /// Why the endpoint is told nothing more.
    fn over(&self, made: &[Made], took: bool, now: i64) -> Option<&'static str> {
        if made.iter().any(|made| made.status == GONE) {
            return Some("GONE");
        }
        let fails_for = self.failing_since.map_or(0, |since| now.saturating_sub(since));
        let fails_for = Duration::from_micros(u64::try_from(fails_for).unwrap_or_default());
        (!took && fails_for >= self.shared.rules.failing).then_some("FAILING")
    }

    fn tell_of(&self, change: Option<Change>) {
        let endpoint_id = self.endpoint.id();
        match change {
            Some(Change::Opened) => {
                self.shared.open.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(endpoint_id, "an endpoint takes nothing: single probes are made until it does");
            }
            Some(Change::Closed) => {
                self.shared.open.fetch_sub(1, Ordering::Relaxed);
                tracing::info!(endpoint_id, "an endpoint takes what it is told again");
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

fn tell_what_came(endpoint_id: &str, made: &Made) {
    let Made { event_id, event_type: event, attempts, failure, came, .. } = made;
    metrics::requested(match came {
        Came::Delivered => "taken",
        Came::Again(_) => "again",
        Came::GivenUp => {
            tracing::error!(endpoint_id, event_id, event, failure, attempts, "an endpoint is told of an event no more");
            "given_up"
        }
    });
}
