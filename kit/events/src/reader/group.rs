//! The readers of all partitions of one log for one consumer.

use std::sync::Arc;

use opentelemetry::KeyValue;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;

use super::feed::Feed;
use super::inbox::Inbox;
use super::{Reader, Remote};
use crate::broker::Broker;
use crate::tenure::Tenure;
use crate::{Heads, LogSource, Reactions, Store};

/// The two ways to another context's log: its owner, and the broker.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) log: Arc<dyn LogSource>,
    pub(crate) broker: Broker,
    pub(crate) heads: watch::Receiver<Option<Heads>>,
}

/// What the readers of a log share.
#[derive(Clone)]
pub(crate) struct Group {
    pub(crate) store: Store,
    pub(crate) reactions: Arc<Reactions>,
    pub(crate) context: String,
    /// `None` for the own log.
    pub(crate) origin: Option<Origin>,
    pub(crate) holder: Arc<str>,
}

impl Group {
    /// Reads every partition until `stop`. How many there are is learnt from the owner: the first is there for certain.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let known = if self.origin.is_none() { self.store.partitions() } else { 1 };
        let (sender, mut partitions) = watch::channel(known);
        let mut readers = JoinSet::new();
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

    /// Reads one partition for as long as this process has the lease on it.
    async fn read(self, partition: u16, partitions: watch::Sender<u16>, stop: CancellationToken) -> Result<(), Error> {
        let lease = format!("reader/{}/{}/{partition}", self.reactions.consumer(), self.context);
        let tenure = Tenure::new(self.store.clone(), lease, Arc::clone(&self.holder));
        tenure.hold(stop, |stop| self.reader(partition, partitions.clone(), stop).run()).await
    }

    fn reader(&self, partition: u16, partitions: watch::Sender<u16>, stop: CancellationToken) -> Reader {
        let consumer = self.reactions.consumer();
        let remote = self.origin.clone().map(|Origin { log, broker, heads }| Remote {
            log,
            feed: Feed::new(broker, heads, consumer, &self.context, partition),
        });
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
            position: 0,
            saved: 0,
            incarnation: None,
            parked: std::collections::HashSet::new(),
            head: 0,
            position_at_heartbeat: 0,
            inbox: Inbox::default(),
            grown: self.store.log_grew(),
            fetch_at: Instant::now(),
            fetch_failures: 0,
            catching_up: false,
            save_at: None,
        }
    }
}
