//! What a service is made of at run time: relay, heartbeats, readers, projections, workers and deadlines, started together
//! and drained in order. None of them knows another; they meet in the database.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tradewind_broker::Broker;
use tradewind_domain::Error;
use tradewind_events::fault::create_journal;
use tradewind_events::{
    LogSource, Logs, Reactions, Readers, StuckReaders, ping_replicas, prune_requests, publish, witness,
};
use tradewind_operate::{Consumers, Projections, Quarantine, follow_pauses, measure_quarantine};
use tradewind_projections::{Projection, REST, build, follow, resting};
use tradewind_replicas::{Members, Seat};
use tradewind_store::Store;
use tradewind_work::{IntentHandler, TimerHandler, Timers, Worker, prune_attempts};
use uuid::Uuid;

use crate::reactions::{none_shares_a_reader, reader_of};

const GRACE: Duration = Duration::from_secs(10);
const REQUEST_RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const CALL_TIMEOUT: Duration = Duration::from_secs(12);
/// What the last publications and the cursor of the relay may take after everything else has ended.
const LAST: Duration = Duration::from_secs(3);

type Task = BoxFuture<'static, Result<(), Error>>;
type Start = Box<dyn FnOnce(&Shared, &Members, CancellationToken) -> Task + Send>;

/// What every part shares.
struct Shared {
    store: Store,
    holder: Arc<str>,
    grace: Duration,
    call_timeout: Duration,
}

/// Runs a service's events.
pub struct Engine {
    shared: Shared,
    broker: Broker,
    log: Arc<dyn LogSource>,
    request_retention: Duration,
    stuck: StuckReaders,
    reactions: Vec<Arc<Reactions>>,
    projections: Vec<Projection>,
    workers: Vec<Start>,
}

impl Engine {
    /// An engine that only publishes the store's log; `source` reads other contexts' logs.
    #[must_use]
    pub fn new(store: Store, broker: Broker, source: Arc<dyn LogSource>) -> Self {
        let holder = Uuid::new_v4().to_string().into();
        let shared = Shared { store, holder, grace: GRACE, call_timeout: CALL_TIMEOUT };
        Self {
            shared,
            broker,
            log: source,
            request_retention: REQUEST_RETENTION,
            stuck: StuckReaders::default(),
            reactions: Vec::new(),
            projections: Vec::new(),
            workers: Vec::new(),
        }
    }

    /// Names this process in leases and claims. One that keeps its name over a restart, e.g. `<service>@<host>`, takes over
    /// at once what it held before; no other process may have the name at the same time.
    #[must_use]
    pub fn holder(mut self, name: &str) -> Self {
        self.shared.holder = name.into();
        self
    }

    /// Bounds what running calls may take after the order to stop; 10 s unless set.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.shared.grace = grace;
        self
    }

    /// Bounds one call to the outside; 12 s unless set. A claim lasts a little longer.
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.shared.call_timeout = timeout;
        self
    }

    /// How long a request may be repeated and get the stored response, and how long failed attempts at calls are remembered; 7 days
    /// unless set.
    #[must_use]
    pub fn request_retention(mut self, retention: Duration) -> Self {
        self.request_retention = retention;
        self
    }

    /// With reactions to events of other contexts.
    #[must_use]
    pub fn reactions(mut self, reactions: Reactions) -> Self {
        for source in reactions.sources() {
            self.shared.store.will_read(reactions.consumer(), &source);
        }
        self.reactions.push(Arc::new(reactions));
        self
    }

    /// With a read model.
    #[must_use]
    pub fn projection(mut self, projection: Projection) -> Self {
        let context = self.shared.store.context();
        let kept = projection.reactions().map(|kept| {
            let reader = reader_of(context, &kept);
            kept.reading_as(reader)
        });
        self.projections.push(projection);
        kept.into_iter().fold(self, Self::reactions)
    }

    /// With calls to the outside, up to `concurrency` at a time.
    #[must_use]
    pub fn intents<H: IntentHandler>(mut self, handler: H, concurrency: usize) -> Self {
        self.workers.push(Box::new(move |shared, members, stop| {
            let (store, holder) = (shared.store.clone(), Arc::clone(&shared.holder));
            let worker = Worker::new(store, handler, concurrency, holder, shared.call_timeout, members.seen());
            Box::pin(worker.run(stop, shared.grace))
        }));
        self
    }

    /// With deadlines.
    #[must_use]
    pub fn timer<T: TimerHandler>(mut self, handler: T) -> Self {
        self.workers
            .push(Box::new(move |shared, _, stop| Box::pin(Timers::new(shared.store.clone(), handler).run(stop))));
        self
    }

    /// With work that the kit knows nothing of.
    #[must_use]
    pub fn work<F>(mut self, work: impl FnOnce(Members, CancellationToken) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.workers.push(Box::new(move |_, members, stop| Box::pin(work(members.clone(), stop))));
        self
    }

    /// The consumers of the parts declared so far, for operators.
    #[must_use]
    pub fn consumers(&self) -> Consumers {
        Consumers::new(self.shared.store.clone(), self.logs(), self.reactions.clone().into())
    }

    /// The read models declared so far, for operators.
    #[must_use]
    pub fn projections(&self) -> Projections {
        let names = self.projections.iter().map(Projection::name).collect();
        Projections::new(self.shared.store.clone(), self.consumers(), names)
    }

    /// What the consumers declared so far could not handle, for operators.
    #[must_use]
    pub fn quarantine(&self) -> Quarantine {
        Quarantine::new(self.shared.store.clone(), self.logs(), self.reactions.clone().into())
    }

    /// The readers of this engine that cannot get past a position.
    #[must_use]
    pub fn stuck(&self) -> StuckReaders {
        self.stuck.clone()
    }

    fn logs(&self) -> Logs {
        Logs::new(self.shared.store.clone(), Arc::clone(&self.log))
    }

    /// Runs until `stop`, then drains: readers finish their batch, calls under way are settled, what that appended is
    /// published. It returns when all is done.
    ///
    /// # Errors
    /// `Internal` when a part fails or panics; everything else is drained before. The process should exit and be restarted. At once where
    /// two of its consumers would take each other's messages.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let logs = self.logs();
        let Self { shared, broker, log, request_retention, stuck, reactions, projections, workers } = self;
        none_shares_a_reader(shared.store.context(), &reactions, &projections)?;
        let projections: Arc<[_]> = projections.into();
        create_journal(&shared.store).await?;
        let (stop_work, stop_log) = (stop.child_token(), CancellationToken::new());
        let (seat, members) = Seat::new(shared.store.clone(), Arc::clone(&shared.holder));
        let ((pauses, paused), (serves, served), (rests, rest)) =
            (watch::channel(None), watch::channel(None), watch::channel(None));

        let mut publishing = JoinSet::new();
        publishing.spawn(sequence(shared.store.clone(), stop_log.clone()));
        publishing.spawn(ping_replicas(shared.store.clone(), broker.clone(), stop_log.clone()));
        publishing.spawn(witness(shared.store.clone(), broker.clone(), stop_log.clone()));
        publishing.spawn(seat.keep(stop_work.clone(), stop_log.clone()));
        publishing.spawn(publish(
            shared.store.clone(),
            members.clone(),
            broker.clone(),
            contracts::shown,
            stop_log.clone(),
        ));
        let mut working = JoinSet::new();
        let readers =
            Readers { store: shared.store.clone(), members: members.clone(), paused: rest, broker, log, stuck };
        for reactions in &reactions {
            for group in readers.of(reactions, &stop_work) {
                working.spawn(group.run(stop_work.clone()));
            }
        }
        if !reactions.is_empty() {
            let reactions: Arc<[_]> = reactions.into();
            working.spawn(measure_quarantine(shared.store.clone(), Arc::clone(&reactions), stop_work.clone()));
            working.spawn(follow_pauses(shared.store.clone(), reactions, pauses, stop_work.clone()));
            working.spawn(follow(shared.store.clone(), Arc::clone(&projections), serves, stop_work.clone()));
            working.spawn(resting(Arc::clone(&projections), paused, served, rests, stop_work.clone()));
            working.spawn(build(shared.store.clone(), logs, members.clone(), projections, REST, stop_work.clone()));
        }
        let (store, seen) = (shared.store.clone(), members.clone());
        working.spawn(prune_requests(store.clone(), seen.clone(), request_retention, stop_work.clone()));
        working.spawn(prune_attempts(store, seen, request_retention, stop_work.clone()));
        for start in workers {
            working.spawn(start(&shared, &members, stop_work.clone()));
        }

        let mut result = tokio::select! {
            // The order to stop counts first: it ends the others, too.
            biased;
            () = stop.cancelled() => Ok(()),
            Some(ended) = working.join_next() => Err(early(ended)),
            Some(ended) = publishing.join_next() => Err(early(ended)),
        };
        stop_work.cancel();
        result = result.and(drain(&mut working, shared.grace + LAST).await);
        stop_log.cancel();
        result.and(drain(&mut publishing, LAST).await)
    }
}

async fn sequence(store: Store, stop: CancellationToken) -> Result<(), Error> {
    store.sequence(stop).await
}

/// Waits for all to end, but not longer than `limit`.
async fn drain(tasks: &mut JoinSet<Result<(), Error>>, limit: Duration) -> Result<(), Error> {
    let all = async {
        let mut result = Ok(());
        while let Some(ended) = tasks.join_next().await {
            result = result.and(ended.unwrap_or_else(|error| Err(failed(&error))));
        }
        result
    };
    match tokio::time::timeout(limit, all).await {
        Ok(result) => result,
        Err(_) => {
            tracing::warn!(left = tasks.len(), "not everything ended in time; it is taken up at the next start");
            tasks.abort_all();
            Ok(())
        }
    }
}

/// A part that ends before it is told to has failed.
fn early(ended: Result<Result<(), Error>, JoinError>) -> Error {
    match ended {
        Ok(Ok(())) => Error::internal("a part of the engine ended unasked"),
        Ok(Err(error)) => error,
        Err(error) => failed(&error),
    }
}

fn failed(error: &JoinError) -> Error {
    Error::internal(format!("a part of the engine failed: {error}"))
}
