//! What a transaction knows of a stream: what it has appended itself, what this process last saw, what the database has.

use std::collections::BTreeSet;

use sea_orm::{DbBackend, Value};
use tradewind_domain::{Aggregate, Error};
use tradewind_sql::{db, padded, statement};

use super::pending::PendingEvent;
use super::{Own, Tx};
use crate::StreamName;
use crate::error::version_conflict;
use crate::store::{Current, apply};

impl Tx {
    /// Finds out in one statement which of several streams do not exist. Of one alone, whoever needs it finds out; on
    /// PostgreSQL a transaction that [hopes](Self::hope) takes it that none does: their first events are protected by their keys,
    /// and whoever decides on nothing asks.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn look_for(&mut self, streams: impl Iterator<Item = StreamName>) -> Result<(), Error> {
        let unknown: BTreeSet<_> = streams.filter(|stream| self.store.cache().version(stream).is_none()).collect();
        if self.hopes && self.backend() == DbBackend::Postgres {
            self.hoped.extend(unknown);
            return Ok(());
        }
        let Some(last) = unknown.last().filter(|_| unknown.len() > 1) else { return Ok(()) };
        let names: Vec<_> = unknown.iter().map(StreamName::as_str).collect();
        let names = padded(&names, last.as_str());
        let places: Vec<_> = (1..=names.len()).map(|number| format!("${number}")).collect();
        let query = format!("SELECT stream FROM event WHERE version = 1 AND stream IN ({})", places.join(", "));
        let query = statement(self.backend(), query, names.into_iter().map(Value::from));
        let rows = self.read(query).await?;
        let found = rows.iter().map(|row| row.try_get::<String>("", "stream").map_err(db));
        let found = found.collect::<Result<BTreeSet<_>, _>>()?;
        self.absent.extend(unknown.into_iter().filter(|stream| !found.contains(stream.as_str())));
        Ok(())
    }

    /// The state as this transaction will leave it, where that is in memory. What is not this transaction's own may be old:
    /// another replica may have appended since.
    pub(super) fn seen<A: Aggregate>(&self, stream: &StreamName) -> Option<Current<A>> {
        match self.own.get(stream) {
            Some(Own { version, state }) => Current::of(state.as_ref()?, *version),
            None => self.store.cache().current(stream),
        }
    }

    /// Makes sure that a stream which this transaction has not appended to is at `version`.
    pub(super) async fn confirm(&self, stream: &StreamName, version: u64) -> Result<(), Error> {
        if self.own.contains_key(stream)
            || self.backend() == DbBackend::Sqlite
            || self.store.version(self.conn(), stream).await? == version
        {
            return Ok(());
        }
        self.store.cache().evict(stream);
        Err(version_conflict(stream, version))
    }

    /// The state as this transaction will leave it.
    pub(super) async fn current<A: Aggregate>(&mut self, stream: &StreamName) -> Result<Current<A>, Error> {
        if self.own.contains_key(stream) {
            return match self.seen(stream) {
                Some(own) => Ok(own),
                None => self.replay(stream).await,
            };
        }
        if self.absent.contains(stream) {
            return Ok(Current::default());
        }
        let current = self.store.current::<A>(Some(self.conn()), stream).await?;
        if current.version > 0 {
            self.store.cache().put(self.era, stream, current.version, Some(current.any()));
        }
        Ok(current)
    }

    /// Applies what this transaction has appended without an aggregate.
    async fn replay<A: Aggregate>(&self, stream: &StreamName) -> Result<Current<A>, Error> {
        let mut current = self.store.current::<A>(Some(self.conn()), stream).await?;
        let own = self.pending.events.iter().filter(|pending| pending.event.stream == *stream);
        for PendingEvent { event, informative, .. } in own {
            if event.version != current.version + 1 {
                return Err(version_conflict(stream, event.version - 1));
            }
            apply(&mut current, &event.type_name, &event.payload, *informative, event.time)?;
        }
        Ok(current)
    }
}
