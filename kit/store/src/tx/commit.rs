//! Committing, and telling everybody.

use std::collections::BTreeSet;

use sea_orm::DbBackend;
use tradewind_domain::Error;
use tradewind_fault::{Point, hit_if};
use tradewind_sql::Durability;

use super::{Tx, told};
use crate::committed::{Appended, Committed};
use crate::error::commit;
use crate::store::{LOG, OUTBOX, Topic};
use crate::{Metadata, Store};

impl Tx {
    /// Writes what is kept and commits.
    ///
    /// # Errors
    /// `Invalid` with reason `EVENT_TOO_LARGE` or the like when anything kept could not pass every limit on its way.
    /// `Conflict` with reason [`VERSION_CONFLICT`](crate::VERSION_CONFLICT) when somebody else has appended to one of the
    /// streams, or with [`SERIALIZATION`](tradewind_sql::SERIALIZATION) when the same request is being handled or the database says
    /// so: [`Store::retry`] runs the transaction again. `Unavailable` when the database is, and then it may or may not have
    /// been committed.
    pub async fn commit(mut self) -> Result<Committed, Error> {
        self.close().await?;
        if !self.pending.events.is_empty() {
            self.store.may_grow().await?;
        }
        self.pending.check()?;
        if self.durability == Durability::Later && !self.pending.is_derived() {
            return Err(Error::internal("what is not made again from a log would be answered before it is on disk"));
        }
        self.seal_pending(true).await?;
        let events = self.pending.events.iter().map(|pending| &pending.event);
        let appended = events.clone().map(|event| Appended {
            stream: event.stream.clone(),
            version: event.version,
            partition: event.partition,
        });
        let committed = Committed::new(appended.collect());
        let tail = self.store.committed_tail().filter(|_| !committed.appended().is_empty());
        let kept: Vec<_> = if tail.is_some() { events.cloned().collect() } else { Vec::new() };
        let changes = self.pending.changes_something();
        let made = self.pending.subjects.clone();
        let told = told::committing(&self.store, &self.pending.events);
        let script = self.pending.script(self.store.backend(), self.now);
        if self.store.backend() == DbBackend::Sqlite {
            // There the cache is believed: nothing in it may be older than the database, not even while nobody waits for this
            // commit any more. What it leaves is put back with it.
            evict(&self.store, committed.appended());
        }
        if let Some(tail) = tail {
            tail.doubt();
        }
        let mut settling =
            Settling { store: &self.store, streams: committed.appended(), wakes: &self.wakes, known: false };
        let (own, era, keys_era) = (&mut self.own, self.era, self.keys_era);
        let after = std::mem::take(&mut self.after);
        let store = &self.store;
        // What has no cause was asked for.
        let requested = !committed.appended().is_empty() && self.cause == Metadata::default();
        hit_if(requested, Point::RequestUncommitted);
        let outcome = self.transaction.commit(script, || {
            for (stream, own) in own.drain() {
                store.cache().put(era, &stream, own.version, own.state);
            }
            if let Some(tail) = tail {
                tail.append(kept);
            }
            for (subject, key) in &made {
                store.memory().keys.put(keys_era, subject, Some(key.clone()));
            }
            if changes {
                store.wrote();
            }
            // With the commit, whether anybody waits for it any more or not.
            after.into_iter().for_each(|tell| tell());
        });
        let outcome = store.noting(outcome.await.map_err(commit));
        if let Err(error) = &outcome {
            told.iter().for_each(|part| part.fails(error.reason));
        }
        drop(told);
        outcome.inspect_err(|_| store.memory().keys.doubt(made.keys()))?;
        settling.known = true;
        hit_if(requested, Point::RequestCommitted);
        drop(settling);
        Ok(committed)
    }
}

impl Tx {
    /// Does all that [`commit`](Self::commit) does but the commit itself, and rolls back.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub async fn rehearse(mut self) -> Result<(), Error> {
        self.close().await?;
        self.pending.check()?;
        // It is not run again where a key is there already.
        self.seal_pending(false).await?;
        let script = self.pending.script(self.backend(), self.now);
        script.run(self.conn()).await.map_err(commit)
    }
}

fn evict(store: &Store, appended: &[Appended]) {
    for Appended { stream, .. } in appended {
        store.cache().evict(stream);
    }
}

/// Tells everybody, whatever came of the commit: where nobody waited for its answer it may have happened. What it would have
/// left in the cache is then unknown.
struct Settling<'a> {
    store: &'a Store,
    streams: &'a [Appended],
    wakes: &'a BTreeSet<Topic>,
    known: bool,
}

impl Drop for Settling<'_> {
    fn drop(&mut self) {
        if !self.known {
            self.store.wrote_not();
            evict(self.store, self.streams);
        }
        if !self.streams.is_empty() {
            self.store.tell(if self.store.backend() == DbBackend::Sqlite { &LOG } else { &OUTBOX });
        }
        self.wakes.iter().for_each(|topic| self.store.tell(topic));
        let mut last = None;
        for Appended { stream, .. } in self.streams {
            if last != Some(stream) {
                self.store.tell_changed(stream);
            }
            last = Some(stream);
        }
    }
}
