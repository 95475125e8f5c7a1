//! Reads one partition of a log for one consumer: every event once, in order, whatever the broker does.
//!
//! The cursor in the database is the truth. Messages are the fast path; a gap, a start, a heartbeat ahead of the cursor, a
//! broker that is away all lead to the same question to the owner of the log. The own log is read without a broker. Nothing
//! here knows what a reaction does.

mod batch;
mod cursor;
mod debts;
mod feed;
mod group;
mod inbox;
mod measure;
mod parked;
mod progress;
mod repair;
mod stuck;
mod trouble;
mod turns;

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Subject;
use futures::future::BoxFuture;
use opentelemetry::KeyValue;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_replicas::circuit::Gate;
use tradewind_sql::Backoff;
use tradewind_store::{Cursor, LogPage, Store, StreamName};
use uuid::Uuid;

use crate::Reactions;
use crate::metrics::metrics;
use feed::{Feed, News};
pub use group::{Group, Paused, Readers};
pub use parked::QUARANTINE;
use progress::{Changed, Next, Progress};
pub use stuck::{Stuck, StuckReaders, stuck_everywhere};

/// How long the owner is waited for.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// Messages taken without waiting.
const TAKE: usize = 256;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));

/// Reads the logs of other contexts, whatever the way to their owners is.
pub trait LogSource: Send + Sync + 'static {
    /// Up to `limit` events of a partition of `context`'s log that follow the position `after`.
    fn read_log(&self, context: &str, partition: u16, after: u64, limit: u32) -> BoxFuture<'_, Result<LogPage, Error>>;

    /// Tells the owner of `context`'s log that a reader has read the event `witness` at its position in the log `incarnation`,
    /// where the owner has none, or another. It is told once; an owner that cannot be reached hears it from the next start.
    fn report(
        &self,
        context: &str,
        incarnation: Uuid,
        partition: u16,
        witness: (u64, Uuid),
    ) -> BoxFuture<'_, Result<(), Error>> {
        let _ = (context, incarnation, partition, witness);
        Box::pin(async { Ok(()) })
    }
}

/// Why a reader ends.
enum Halt {
    /// It was asked to.
    Asked,
    /// The source's log is not the one the cursor belongs to: what happened to it.
    Changed(Changed),
}

/// Another context's log: its owner, and the messages it publishes.
struct Remote {
    log: Arc<dyn LogSource>,
    feed: Feed,
}

/// A reader of one partition.
pub(crate) struct Reader {
    store: Store,
    reactions: Arc<Reactions>,
    context: String,
    partition: u16,
    /// `None` for the own log.
    remote: Option<Remote>,
    stop: CancellationToken,
    /// Told how many partitions the source has.
    partitions: watch::Sender<u16>,
    attributes: [KeyValue; 3],
    stuck: StuckReaders,
    gate: Arc<Gate>,

    progress: Progress,
    parked: HashSet<StreamName>,
    turns: turns::Turns,

    grown: watch::Receiver<u64>,
    /// Changes when what was read of the database may no longer be so.
    epoch: watch::Receiver<u64>,
    trouble: Option<trouble::Trouble>,
    /// The other replicas may believe that it is stuck.
    told: bool,
}

impl Reader {
    /// Reads until it is stopped. Where the source's log is not the one read before, it stops reading and sounds the alarm.
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        let Err(halt) = self.read().await;
        match halt {
            Halt::Asked => {
                if self.progress.position() > self.progress.saved().position {
                    self.save().await;
                }
                if let Some(reply) = self.progress.last_acknowledgement() {
                    self.acknowledge(reply).await;
                }
            }
            Halt::Changed((reason, why)) => self.alarm(reason, &why).await,
        }
        self.hide();
        self.record_end();
        Ok(())
    }

    /// Tells operators that nothing more is read until they have decided, for as long as this process would read.
    async fn alarm(&mut self, reason: &'static str, why: &str) {
        tracing::error!(
            consumer = self.consumer(),
            source = self.context,
            partition = self.partition,
            position = self.progress.position(),
            reason,
            why,
            runbook = "docs/runbook.md#a-reader-stopped",
            "a reader stopped: its source's log is not the one it has read; an operator has to decide"
        );
        let attributes: Vec<_> = self.attributes.iter().cloned().chain([KeyValue::new("reason", reason)]).collect();
        metrics().reader_stopped.record(1, &attributes);
        self.show(reason, why).await;
        self.report().await;
        self.stop.cancelled().await;
        metrics().reader_stopped.record(0, &attributes);
    }

    /// Tells the owner what was read that its log does not have any more.
    async fn report(&self) {
        let here = self.progress.here();
        let Some((remote, last)) = self.remote.as_ref().zip(here.event) else { return };
        let (incarnation, witness) = (self.progress.saved().incarnation, (here.position, last));
        let told = remote.log.report(&self.context, incarnation, self.partition, witness);
        let told = tokio::time::timeout(FETCH_TIMEOUT, told);
        if let Some(Ok(Err(error))) = self.stop.run_until_cancelled(told).await {
            tracing::debug!(source = self.context, %error, "the owner of the log was not told");
        }
    }

    async fn read(&mut self) -> Result<Infallible, Halt> {
        self.load().await?;
        loop {
            if self.stop.is_cancelled() {
                return Err(Halt::Asked);
            }
            if self.epoch.has_changed().is_ok_and(|changed| changed) {
                self.begin_again().await?;
            }
            self.keep_open();
            self.take_ready();
            match self.progress.next(Instant::now()) {
                Next::Acknowledge(reply) => self.acknowledge(reply).await,
                Next::Handle(run) => {
                    self.handle(run).await?;
                    self.progress.moved(Instant::now());
                    self.measure();
                    self.moves().await;
                }
                Next::Save => self.save().await,
                Next::Ask(limit) => self.ask(limit).await?,
                Next::Rest(until) => self.rest(until).await,
            }
        }
    }

    /// The database was away: what it has now may be an earlier state, which does not know of what was done since.
    async fn begin_again(&mut self) -> Result<(), Halt> {
        self.epoch.mark_unchanged();
        self.load().await?;
        self.progress.begin_again(Instant::now());
        Ok(())
    }

    /// Reads the cursor and the quarantine from the database, however long that takes.
    async fn load(&mut self) -> Result<(), Halt> {
        let mut attempt = 0;
        loop {
            // In this order: what is parked after the cursor was read moves it, and then nothing is handled from there.
            let loaded = async {
                let cursor = self.store.cursor(self.consumer(), &self.context, self.partition).await?;
                Ok::<_, Error>((cursor, parked::parked_streams(&self.store, self.consumer(), &self.context).await?))
            };
            match loaded.await {
                Ok((cursor, parked)) => {
                    self.progress.loaded(cursor);
                    self.parked = parked.into_iter().collect();
                    self.turns.forget();
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!(consumer = self.consumer(), source = self.context, %error, "a cursor cannot be read");
                    self.fails(&error).await;
                    self.pause(BACKOFF.wait(attempt)).await?;
                    attempt += 1;
                }
            }
        }
    }

    /// Waits for whatever comes first: news, a deadline, or the order to stop.
    async fn rest(&mut self, until: Instant) {
        let opens_at = self.remote.as_ref().and_then(|remote| remote.feed.opens_at());
        let until = opens_at.map_or(until, |at| at.min(until));
        let own = self.remote.is_none();
        let news = tokio::select! {
            () = self.stop.cancelled() => return,
            news = news(self.remote.as_mut()) => news,
            _ = self.epoch.changed() => return self.epoch.mark_changed(),
            grown = self.grown.changed(), if own => {
                if grown.is_ok() {
                    self.progress.grew(Instant::now());
                }
                return;
            }
            () = tokio::time::sleep_until(until) => return,
        };
        match news {
            News::Message(message) => self.receive(&message),
            News::Heads => self.note_heads(),
            News::Link => {}
        }
    }

    /// The database has the cursor at `place`.
    fn reached(&mut self, place: Cursor) {
        self.progress.reached(place, Instant::now());
    }

    /// Acknowledges messages. Nobody waits for that.
    async fn acknowledge(&self, reply: Subject) {
        if let Some(remote) = &self.remote {
            remote.feed.acknowledge(reply).await;
        }
    }

    async fn pause(&self, wait: Duration) -> Result<(), Halt> {
        self.stop.run_until_cancelled(tokio::time::sleep(wait)).await.ok_or(Halt::Asked)
    }

    fn consumer(&self) -> &'static str {
        self.reactions.consumer()
    }
}

async fn news(remote: Option<&mut Remote>) -> News {
    match remote {
        Some(remote) => remote.feed.news().await,
        None => std::future::pending().await,
    }
}
