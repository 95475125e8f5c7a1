//! What a service is made of at run time: relay, heartbeats, readers, projections, workers and deadlines, started together
//! and drained in order. None of them knows another; they meet in the database.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use uuid::Uuid;

use crate::broker::Broker;
use crate::heads;
use crate::intents::{IntentHandler, Worker};
use crate::reactions::Reactions;
use crate::reader::{Group, LogSource, Origin};
use crate::relay::{Relay, Retention};
use crate::store::Store;
use crate::tenure::Tenure;
use crate::timers::{TimerHandler, Timers};
use crate::wake;

const GRACE: Duration = Duration::from_secs(10);
const CALL_TIMEOUT: Duration = Duration::from_secs(12);
/// What the last publications and the cursor of the relay may take after everything else has ended.
const LAST: Duration = Duration::from_secs(3);

type Task = BoxFuture<'static, Result<(), Error>>;
type Start = Box<dyn FnOnce(&Shared, CancellationToken) -> Task + Send>;

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
    retention: Retention,
    reactions: Vec<Reactions>,
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
            retention: Retention::default(),
            reactions: Vec::new(),
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

    /// Bounds what the broker keeps of the own events.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// With reactions to events of other contexts.
    #[must_use]
    pub fn reactions(mut self, reactions: Reactions) -> Self {
        self.reactions.push(reactions);
        self
    }

    /// With a read model of the own log, which needs no broker.
    #[must_use]
    pub fn projection(self, projection: Reactions) -> Self {
        self.reactions(projection)
    }

    /// With calls to the outside, up to `concurrency` at a time.
    #[must_use]
    pub fn intents<H: IntentHandler>(mut self, handler: H, concurrency: usize) -> Self {
        self.workers.push(Box::new(move |shared, stop| {
            let (store, holder) = (shared.store.clone(), Arc::clone(&shared.holder));
            let worker = Worker::new(store, handler, concurrency, holder, shared.call_timeout);
            Box::pin(worker.run(stop, shared.grace))
        }));
        self
    }

    /// With deadlines.
    #[must_use]
    pub fn timer<T: TimerHandler>(mut self, handler: T) -> Self {
        self.workers.push(Box::new(move |shared, stop| Box::pin(Timers::new(shared.store.clone(), handler).run(stop))));
        self
    }

    /// Runs until `stop`, then drains: readers finish their batch, calls under way are settled, what that appended is
    /// published. It returns when all is done.
    ///
    /// # Errors
    /// `Internal` when a part fails or panics; everything else is drained before. The process should exit and be restarted.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let Self { shared, broker, log, retention, reactions, workers } = self;
        let (stop_work, stop_log) = (stop.child_token(), CancellationToken::new());

        let mut publishing = JoinSet::new();
        publishing.spawn(sequence(shared.store.clone(), stop_log.clone()));
        publishing.spawn(wake::between_replicas(shared.store.clone(), broker.clone(), stop_log.clone()));
        publishing.spawn(publish(&shared, broker.clone(), retention, stop_log.clone()));
        let mut working = JoinSet::new();
        for reactions in reactions {
            for task in readers(&shared, &broker, &log, reactions, &stop_work) {
                working.spawn(task);
            }
        }
        for start in workers {
            working.spawn(start(&shared, stop_work.clone()));
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

/// Publishes the own log and its heads, in one process at a time.
fn publish(shared: &Shared, broker: Broker, retention: Retention, stop: CancellationToken) -> Task {
    let store = shared.store.clone();
    let tenure = Tenure::new(store.clone(), "relay".to_owned(), Arc::clone(&shared.holder));
    Box::pin(async move {
        let work = |stop: CancellationToken| {
            let relay = Relay::new(store.clone(), broker.clone(), retention).run(stop.clone());
            let heads = heads::publish(store.clone(), broker.clone(), stop);
            async { futures::try_join!(relay, heads).map(drop) }
        };
        tenure.hold(stop, work).await
    })
}

/// The readers for one consumer: a group for each log it reads.
fn readers(
    shared: &Shared,
    broker: &Broker,
    log: &Arc<dyn LogSource>,
    reactions: Reactions,
    stop: &CancellationToken,
) -> Vec<Task> {
    let sources = reactions.sources();
    let reactions = Arc::new(reactions);
    let task = |context: String| -> Task {
        let origin = (context != shared.store.context()).then(|| Origin {
            log: Arc::clone(log),
            broker: broker.clone(),
            heads: heads::follow(broker.clone(), &context, stop.clone()),
        });
        let group = Group {
            store: shared.store.clone(),
            reactions: Arc::clone(&reactions),
            context,
            origin,
            holder: Arc::clone(&shared.holder),
        };
        Box::pin(group.run(stop.clone()))
    };
    sources.into_iter().map(task).collect()
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
