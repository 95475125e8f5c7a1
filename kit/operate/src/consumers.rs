//! A service's consumers as an operator sees them: how far each has read, what it could not handle, and whether it is paused.

use std::sync::Arc;

use futures::future::join_all;
use time::OffsetDateTime;
use tradewind_domain::{Error, ErrorKind};
use tradewind_events::{Logs, Reactions, Stuck, stuck_everywhere};
use tradewind_store::{Cursors, Store};

use super::pause::{Pause, pause, paused_consumers, resume};
use super::quarantine::{Act, ActKind, Amount, amounts_parked, audit, consumer_unknown, record};

/// One consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The name its cursors have.
    pub name: String,
    /// What it reads, by context.
    pub sources: Vec<Source>,
    /// Who paused it; `None` while it reads.
    pub pause: Option<Pause>,
}

/// One context that a consumer reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The context.
    pub name: String,
    /// Its log, by partition.
    pub partitions: Vec<Partition>,
    /// How many of its streams are in quarantine.
    pub parked_streams: u64,
    /// How many of its events are in quarantine, those that only queue included.
    pub parked_events: u64,
}

/// One partition of a log that a consumer reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number.
    pub number: u16,
    /// The last position that is done; 0 before the first.
    pub position: u64,
    /// The last position there is, where the owner could be asked.
    pub head: Option<u64>,
    /// When the position last changed.
    pub updated: Option<OffsetDateTime>,
    /// What keeps its reader from getting further, whichever replica that is.
    pub stuck: Option<Stuck>,
}

/// The consumers of a service. Cheap to clone.
#[derive(Clone)]
pub struct Consumers {
    store: Store,
    logs: Logs,
    reactions: Arc<[Arc<Reactions>]>,
}

/// What the database knows of consumers.
struct Known {
    cursors: Cursors,
    parked: Vec<Amount>,
    stuck: Vec<Stuck>,
    /// Whether owners are asked as well.
    with_heads: bool,
}

impl Consumers {
    /// These consumers; `logs` are where their sources are read.
    #[must_use]
    pub fn new(store: Store, logs: Logs, reactions: Arc<[Arc<Reactions>]>) -> Self {
        Self { store, logs, reactions }
    }

    /// Every consumer, in the order in which the service declares them.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn list(&self) -> Result<Vec<Consumer>, Error> {
        self.seen(true).await
    }

    /// The same out of the service's own database: no owner is asked for a head.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn list_without_heads(&self) -> Result<Vec<Consumer>, Error> {
        self.seen(false).await
    }

    async fn seen(&self, with_heads: bool) -> Result<Vec<Consumer>, Error> {
        let asked = futures::try_join!(
            self.store.cursors(),
            amounts_parked(&self.store),
            paused_consumers(&self.store),
            stuck_everywhere(&self.store)
        );
        let (cursors, parked, pauses, stuck) = asked?;
        let known = Known { cursors, parked, stuck, with_heads };
        let consumers = self.reactions.iter().map(async |reactions| {
            let name = reactions.consumer().to_owned();
            let sources = reactions.sources().into_iter().map(|source| self.source(&name, source, &known));
            let pause = pauses.iter().find(|pause| pause.consumer == name).cloned();
            Consumer { sources: join_all(sources).await, name: name.clone(), pause }
        });
        Ok(join_all(consumers).await)
    }

    /// Makes a consumer stop reading on every replica; the first pause, where it is paused already.
    ///
    /// # Errors
    /// `NotFound` with reason `CONSUMER_UNKNOWN`; `Unavailable` when the database is.
    pub async fn pause(&self, consumer: &str, principal: &str, reason: &str) -> Result<Pause, Error> {
        let act = Act::on(consumer, ActKind::Pause, principal).because(reason);
        let paused = async {
            self.check(consumer)?;
            let mut tx = self.store.begin().await?;
            let pause = pause(&mut tx, consumer, principal, reason).await?;
            record(&mut tx, &act).await?;
            tx.commit().await?;
            act.log();
            Ok(pause)
        };
        audit(&self.store, &act, paused.await).await
    }

    /// Lets a paused consumer read on from where it was.
    ///
    /// # Errors
    /// `NotFound` with reason `CONSUMER_UNKNOWN`; `Rejected` with reason `NOT_PAUSED`; `Unavailable` when the database is.
    pub async fn resume(&self, consumer: &str, principal: &str) -> Result<(), Error> {
        let act = Act::on(consumer, ActKind::Resume, principal);
        let resumed = async {
            self.check(consumer)?;
            let mut tx = self.store.begin().await?;
            if !resume(&mut tx, consumer).await? {
                return Err(Error::new(ErrorKind::Rejected, "NOT_PAUSED", format!("{consumer} is not paused")));
            }
            record(&mut tx, &act).await?;
            tx.commit().await?;
            act.log();
            Ok(())
        };
        audit(&self.store, &act, resumed.await).await
    }

    fn check(&self, consumer: &str) -> Result<(), Error> {
        let known = self.reactions.iter().any(|reactions| reactions.consumer() == consumer);
        if known { Ok(()) } else { Err(consumer_unknown(consumer)) }
    }

    async fn source(&self, consumer: &str, name: String, known: &Known) -> Source {
        let Known { cursors, parked, stuck: stuck_ones, with_heads } = known;
        let stuck = |number: u16| {
            let here = |one: &&Stuck| one.consumer == consumer && one.source == name && one.partition == number;
            stuck_ones.iter().find(here).cloned()
        };
        let cursor = |number: u16| cursors.get(&(consumer.to_owned(), name.clone(), number)).copied();
        let partition = async |number: u16| {
            let (position, updated) = cursor(number).map_or((0, None), |(position, updated)| (position, Some(updated)));
            let page = if *with_heads { self.logs.read(&name, number, position, 1).await.ok() } else { None };
            let count = page.as_ref().map(|page| page.partitions);
            let head = page.map(|page| page.head);
            (Partition { number, position, head, updated, stuck: stuck(number) }, count)
        };
        let (first, count) = partition(0).await;
        // Of what was never read there is no cursor.
        let read = cursors.keys().filter(|(by, of, _)| by == consumer && *of == name).map(|(.., number)| *number);
        let tried = stuck_ones.iter().filter(|one| one.consumer == consumer && one.source == name);
        let known = read.chain(tried.map(|one| one.partition)).max().map_or(1, |last| last + 1);
        let others = join_all((1..count.unwrap_or(known)).map(partition)).await;
        let partitions = std::iter::once(first).chain(others.into_iter().map(|(partition, _)| partition)).collect();
        let amount = parked.iter().find(|amount| amount.consumer == consumer && amount.source == name);
        let (parked_streams, parked_events) = amount.map_or((0, 0), |amount| (amount.streams, amount.events));
        Source { name, partitions, parked_streams, parked_events }
    }
}
