//! The readers of all partitions of one log for one consumer.

use std::collections::BTreeSet;
use std::sync::Arc;

use opentelemetry::KeyValue;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tradewind_broker::Broker;
use tradewind_domain::Error;
use tradewind_replicas::Members;
use tradewind_replicas::circuit::Gate;
use tradewind_replicas::tenure::{self, Turn};
use tradewind_store::{Heads, Store};

use super::feed::Feed;
use super::progress::{Progress, Way};
use super::stuck::StuckReaders;
use super::turns::Turns;
use super::{BACKOFF, FETCH_TIMEOUT, Reader, Remote};
use crate::heads;
use crate::metrics::metrics;
use crate::{LogSource, Reactions};

/// The paused consumers as this process last saw them; `None` before it has looked.
pub type Paused = Option<BTreeSet<String>>;

/// What all readers of a service share.
pub struct Readers {
    /// The service's own database.
    pub store: Store,
    /// By whom it is whose turn it is to read a partition.
    pub members: Members,
    /// Who has to rest.
    pub paused: watch::Receiver<Paused>,
    /// The fast path.
    pub broker: Broker,
    /// The way to the owners.
    pub log: Arc<dyn LogSource>,
    /// Where those are kept that cannot get past a position.
    pub stuck: StuckReaders,
}

impl Readers {
    /// A group for each log that a consumer reads; they share its circuit.
    #[must_use]
    pub fn of(&self, reactions: &Arc<Reactions>, stop: &CancellationToken) -> Vec<Group> {
        let gate = Arc::new(Gate::new(reactions.consumer()));
        let group = |context: String| Group {
            origin: (context != self.store.context()).then(|| Origin {
                log: Arc::clone(&self.log),
                broker: self.broker.clone(),
                heads: heads::follow(self.broker.clone(), &context, stop.clone()),
            }),
            attributes: [KeyValue::new("consumer", reactions.consumer()), KeyValue::new("source", context.clone())],
            store: self.store.clone(),
            reactions: Arc::clone(reactions),
            context,
            members: self.members.clone(),
            paused: self.paused.clone(),
            stuck: self.stuck.clone(),
            gate: Arc::clone(&gate),
        };
        reactions.sources().into_iter().map(group).collect()
    }
}

/// The two ways to another context's log: its owner, and the broker.
#[derive(Clone)]
struct Origin {
    log: Arc<dyn LogSource>,
    broker: Broker,
    heads: watch::Receiver<Option<Heads>>,
}

/// The readers of one log.
#[derive(Clone)]
pub struct Group {
    store: Store,
    reactions: Arc<Reactions>,
    context: String,
    /// `None` for the own log.
    origin: Option<Origin>,
    members: Members,
    paused: watch::Receiver<Paused>,
    stuck: StuckReaders,
    gate: Arc<Gate>,
    attributes: [KeyValue; 2],
}

impl Group {
    /// Reads every partition until `stop`. How many there are is learnt from the owner: the first is there for certain, but it
    /// may be another process's turn to read it.
    ///
    /// # Errors
    /// `Internal` when a reader fails or panics.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let known = if self.origin.is_none() { self.store.partitions() } else { 1 };
        let (sender, mut partitions) = watch::channel(known);
        let mut readers = JoinSet::new();
        let _learning = AbortOnDropHandle::new(tokio::spawn(self.clone().learn(sender.clone())));
        let mut started = 0;
        loop {
            let known = *partitions.borrow_and_update();
            while started < known {
                readers.spawn(self.clone().read(started, sender.clone(), stop.clone()));
                started += 1;
            }
            tokio::select! {
                Some(ended) = readers.join_next() => {
                    ended.map_err(|error| Error::internal(format!("a reader of {} failed: {error}", self.context)))??;
                    if readers.is_empty() && stop.is_cancelled() {
                        return Ok(());
                    }
                }
                Ok(()) = partitions.changed() => {}
            }
        }
    }

    /// Asks the owner which log it has and how many partitions until it answers, and then follows its heartbeats.
    async fn learn(self, partitions: watch::Sender<u16>) {
        let Some(Origin { log, heads, .. }) = &self.origin else { return };
        let mut attempt = 0;
        loop {
            if let Ok(Ok(page)) = timeout(FETCH_TIMEOUT, log.read_log(&self.context, 0, 0, 1)).await {
                self.store.note_log(&self.context, page.incarnation, page.partitions);
                note(&partitions, page.partitions);
                break;
            }
            tokio::time::sleep(BACKOFF.wait(attempt)).await;
            attempt += 1;
        }
        let mut heads = heads.clone();
        while heads.changed().await.is_ok() {
            if let Some(Heads { incarnation, positions }) = heads.borrow_and_update().as_ref() {
                let partitions = u16::try_from(positions.len()).unwrap_or(u16::MAX);
                self.store.note_log(&self.context, *incarnation, partitions);
            }
        }
    }

    /// Reads one partition whenever it is this process's turn and nobody has paused the consumer.
    async fn read(self, partition: u16, partitions: watch::Sender<u16>, stop: CancellationToken) -> Result<(), Error> {
        let consumer = self.reactions.consumer();
        let name = format!("reader/{consumer}/{}/{partition}", self.context);
        let running = |paused: &Paused| paused.as_ref().is_some_and(|paused| !paused.contains(consumer));
        let work = async |Turn { over, taken_over }| {
            let _held = Held::new(&self.attributes);
            if taken_over {
                metrics().reader_hand_overs.add(1, &self.attributes);
            }
            let read = |stop| self.reader(partition, partitions.clone(), stop).run();
            tenure::whenever(&self.paused, running, &over, read).await
        };
        tenure::hold(&self.members, &name, &stop, work).await
    }

    fn reader(&self, partition: u16, partitions: watch::Sender<u16>, stop: CancellationToken) -> Reader {
        let consumer = self.reactions.consumer();
        let remote = self.origin.clone().map(|Origin { log, broker, heads }| Remote {
            log,
            feed: Feed::new(broker, heads, self.reactions.reader(), &self.context, partition),
        });
        let way = if remote.is_some() { Way::Closed } else { Way::Own };
        Reader {
            store: self.store.clone(),
            reactions: Arc::clone(&self.reactions),
            context: self.context.clone(),
            partition,
            remote,
            stop,
            partitions,
            attributes: [
                KeyValue::new("consumer", consumer),
                KeyValue::new("source", self.context.clone()),
                KeyValue::new("partition", i64::from(partition)),
            ],
            stuck: self.stuck.clone(),
            gate: Arc::clone(&self.gate),
            progress: Progress::new(way, Instant::now()),
            parked: std::collections::HashSet::new(),
            turns: Turns::default(),
            grown: self.store.log_grew(),
            epoch: self.store.epoch(),
            trouble: None,
            told: true,
        }
    }
}

/// Notes how many partitions a log has, as far as is known.
pub(super) fn note(partitions: &watch::Sender<u16>, count: u16) {
    partitions.send_if_modified(|known| {
        let more = count > *known;
        *known = (*known).max(count);
        more
    });
}

/// Counts a partition for as long as this process has it.
struct Held<'a>(&'a [KeyValue]);

impl<'a> Held<'a> {
    fn new(attributes: &'a [KeyValue]) -> Self {
        metrics().reader_partitions.add(1, attributes);
        Self(attributes)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        metrics().reader_partitions.add(-1, self.0);
    }
}
