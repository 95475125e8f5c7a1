//! Reads one partition of a log for one consumer: every event once, in order, whatever the broker does.
//!
//! The cursor in the database is the truth. Messages are the fast path; a gap, a start, a heartbeat ahead of the cursor, a
//! broker that is away all lead to the same question to the owner of the log. The own log is read without a broker. Nothing
//! here knows what a reaction does.

mod batch;
mod feed;
mod group;
mod inbox;
mod measure;
mod parked;
mod repair;
mod stuck;
mod trouble;
mod turns;

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use opentelemetry::KeyValue;
use time::OffsetDateTime;
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
use inbox::Inbox;
pub use parked::QUARANTINE;
pub use stuck::{Stuck, StuckReaders, stuck_everywhere};

/// How often the own log is read although nobody in this process has appended.
const OWN_POLL: Duration = Duration::from_secs(1);
/// How often the owner is asked while there are no messages to be had.
const POLL: Duration = Duration::from_millis(500);
/// How often it is asked although everything seems well.
const NET: Duration = Duration::from_secs(15);
/// A cursor that only passed over undeclared events is saved after so long, or so many.
const SAVE_AFTER: Duration = Duration::from_millis(100);
const SAVE_EVENTS: u64 = 1_000;
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
    /// The source's log is not the one the cursor belongs to: what happened to it, for programs and for people.
    Changed(&'static str, String),
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

    /// The last position handled or passed over, and the event there.
    position: u64,
    last: Option<Uuid>,
    /// What the database has.
    saved: Cursor,
    /// The log that is read.
    incarnation: Option<Uuid>,
    parked: HashSet<StreamName>,
    /// As far as the source is known to reach, and where the cursor was when that was told.
    head: u64,
    position_at_heartbeat: u64,
    /// Since when it is behind, as far as is known.
    behind_since: Option<OffsetDateTime>,
    inbox: Inbox,
    turns: turns::Turns,

    grown: watch::Receiver<u64>,
    /// Changes when what was read of the database may no longer be so.
    epoch: watch::Receiver<u64>,
    fetch_at: Instant,
    fetch_failures: u32,
    /// The last page was full: the next follows at once.
    catching_up: bool,
    save_at: Option<Instant>,
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
                if self.position > self.saved.position {
                    self.save().await;
                }
            }
            Halt::Changed(reason, why) => self.alarm(reason, &why).await,
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
            position = self.position,
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
        let Some((remote, last)) = self.remote.as_ref().zip(self.last) else { return };
        let (incarnation, witness) = (self.saved.incarnation, (self.position, last));
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
            // Until the owner has said which log it is, nothing is handled.
            if self.incarnation.is_some()
                && let Some(run) = self.inbox.run(self.position, self.last)
            {
                self.handle(run).await?;
                self.progressed();
                self.moves().await;
                continue;
            }
            if self.inbox.contradicts(self.position, self.last) {
                self.doubt();
            }
            let now = Instant::now();
            if self.save_at.is_some_and(|at| at <= now) {
                self.save().await;
            }
            if self.fetch_at <= now || (self.fetch_failures == 0 && self.inbox.gap(self.position).is_some()) {
                self.fetch().await?;
            } else {
                self.rest().await;
            }
        }
    }

    /// The database was away: what it has now may be an earlier state, which does not know of what was done since.
    async fn begin_again(&mut self) -> Result<(), Halt> {
        self.epoch.mark_unchanged();
        self.load().await?;
        self.inbox.forget_ahead();
        self.fetch_at = Instant::now();
        Ok(())
    }

    /// Reads the cursor and the quarantine from the database, however long that takes.
    async fn load(&mut self) -> Result<(), Halt> {
        let mut attempt = 0;
        loop {
            let cursor = self.store.cursor(self.consumer(), &self.context, self.partition);
            let parked = parked::parked_streams(&self.store, self.consumer(), &self.context);
            match futures::try_join!(cursor, parked) {
                Ok((cursor, parked)) => {
                    self.incarnation = cursor.map(|cursor| cursor.incarnation).or(self.incarnation);
                    self.saved = cursor.unwrap_or_default();
                    (self.position, self.last) = (self.saved.position, self.saved.event);
                    self.parked = parked.into_iter().collect();
                    self.turns.forget();
                    self.save_at = None;
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
    async fn rest(&mut self) {
        let mut wake_at = self.save_at.map_or(self.fetch_at, |at| at.min(self.fetch_at));
        if let Some(at) = self.remote.as_ref().and_then(|remote| remote.feed.opens_at()) {
            wake_at = wake_at.min(at);
        }
        let own = self.remote.is_none();
        let news = tokio::select! {
            () = self.stop.cancelled() => return,
            news = news(self.remote.as_mut()) => news,
            _ = self.epoch.changed() => return self.epoch.mark_changed(),
            grown = self.grown.changed(), if own => {
                if grown.is_ok() {
                    self.fetch_at = Instant::now();
                }
                return;
            }
            () = tokio::time::sleep_until(wake_at) => return,
        };
        match news {
            News::Message(message) => self.receive(&message),
            News::Heads => self.note_heads(),
            News::Link => {}
        }
    }

    /// The cursor has moved: when is the owner to be asked next?
    fn progressed(&mut self) {
        let now = Instant::now();
        self.fetch_failures = 0;
        self.head = self.head.max(self.position);
        if self.head == self.position {
            self.catching_up = false;
            self.fetch_at = now + self.patience();
        } else if self.catching_up {
            self.fetch_at = now;
        } else {
            self.fetch_at = now + repair::GRACE.min(self.patience());
        }
        self.moved();
    }

    /// How long the owner is not asked when nothing calls for it.
    fn patience(&self) -> Duration {
        match &self.remote {
            None => OWN_POLL,
            Some(remote) if remote.feed.is_open() => NET,
            Some(_) => POLL,
        }
    }

    /// Passes over events that nobody declared; they cost no transaction of their own.
    fn pass_over(&mut self, to: u64, last: Option<Uuid>) {
        (self.position, self.last) = (to, last);
        if self.position - self.saved.position >= SAVE_EVENTS {
            self.save_at = Some(Instant::now());
        } else {
            self.save_later();
        }
    }

    fn save_later(&mut self) {
        self.save_at.get_or_insert_with(|| Instant::now() + SAVE_AFTER);
    }

    /// Where the cursor is once everything up to `position`, where the event `last` is, is done.
    fn place(&self, position: u64, last: Option<Uuid>) -> Cursor {
        // A page of the owner's log has been read before anything is handled, so the incarnation is known.
        Cursor { position, incarnation: self.incarnation.unwrap_or_default(), event: last }
    }

    /// The database has the cursor at `place`: everything up to it can be acknowledged.
    async fn reached(&mut self, place: Cursor) {
        (self.position, self.last) = (place.position, place.event);
        self.saved = place;
        self.save_at = None;
        if let Some(reply) = self.inbox.settle(place.position)
            && let Some(remote) = &self.remote
        {
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
