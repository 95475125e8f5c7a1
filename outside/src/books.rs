//! All that the outside has decided, and the one place where it decides: one decision at a time, each applied and
//! queued for the disk under the same lock, and answered when it is durable.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::decision::{Decision, Reply};
use crate::record::{Journal, Watcher};
use crate::refusal::Refusal;
use crate::{card, carrier, mail};

/// What was decided by one of the three parties.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fact {
    Card(card::Fact),
    Carrier(carrier::Fact),
    Mail(mail::Fact),
}

impl From<card::Fact> for Fact {
    fn from(fact: card::Fact) -> Self {
        Self::Card(fact)
    }
}

impl From<carrier::Fact> for Fact {
    fn from(fact: carrier::Fact) -> Self {
        Self::Carrier(fact)
    }
}

impl From<mail::Fact> for Fact {
    fn from(fact: mail::Fact) -> Self {
        Self::Mail(fact)
    }
}

/// A fact and when it was decided: one line of the journal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    fact: Fact,
}

/// The state of the three parties, which only `apply` changes.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) card: card::Ledger,
    pub(crate) carrier: carrier::Bookings,
    pub(crate) mail: mail::Sink,
}

impl World {
    fn apply(&mut self, record: Record) {
        match record.fact {
            Fact::Card(fact) => self.card.apply(fact, record.at),
            Fact::Carrier(fact) => self.carrier.apply(fact, record.at),
            Fact::Mail(fact) => self.mail.apply(fact, record.at),
        }
    }
}

/// The state and its journal behind one lock.
pub(crate) struct Books {
    inner: Mutex<Inner>,
    journal: Watcher,
}

struct Inner {
    world: World,
    journal: Journal,
}

impl Books {
    /// Rebuilds the state from the journal in `folder`.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let mut world = World::default();
        let journal = Journal::open(folder, |record: Record| world.apply(record))?;
        tracing::info!(records = journal.position(), "the record is restored");
        let watcher = journal.watcher();
        Ok(Self { inner: Mutex::new(Inner { world, journal }), journal: watcher })
    }

    /// Decides, and replies when the decision and everything it may rest on are durable.
    ///
    /// A caller that goes away does not undo the decision.
    pub(crate) async fn decide<F: Into<Fact>, T>(
        &self,
        decide: impl FnOnce(&World) -> Result<Decision<F, T>, Refusal>,
    ) -> Reply<T> {
        let (reply, position) = {
            let Inner { world, journal } = &mut *self.lock();
            match decide(world) {
                Err(refusal) => (Reply::Refused(refusal), journal.position()),
                Ok(Decision { fact: None, reply }) => (reply, journal.position()),
                Ok(Decision { fact: Some(fact), reply }) => {
                    let record = Record { at: now(), fact: fact.into() };
                    let Ok(position) = journal.append(&record) else { return Reply::Refused(unwritable()) };
                    world.apply(record);
                    (reply, position)
                }
            }
        };
        match self.journal.durable(position).await {
            Ok(()) => reply,
            Err(_) => Reply::Refused(unwritable()),
        }
    }

    /// Reads, and replies when everything that was read is durable.
    pub(crate) async fn read<T>(&self, read: impl FnOnce(&World) -> Result<T, Refusal>) -> Reply<T> {
        self.decide(|world| read(world).map(Decision::<Fact, T>::known)).await
    }

    pub(crate) fn journal(&self) -> &Watcher {
        &self.journal
    }

    /// Writes what is queued and releases the journal; later decisions are refused.
    pub(crate) async fn close(&self) {
        self.lock().journal.close();
        self.journal.closed().await;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where this process reads the clock")]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

fn unwritable() -> Refusal {
    Refusal::unavailable("RECORD_UNWRITABLE", "the record cannot be written")
}
