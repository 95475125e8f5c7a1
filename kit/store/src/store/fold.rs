//! Loading aggregates: folding the events of a stream, from its beginning or from what is known of it.

mod snapshot;

use opentelemetry::KeyValue;
use sea_orm::{DbBackend, QueryResult, Statement, Value};
use time::OffsetDateTime;
use tradewind_domain::{Aggregate, DecodeError, Error, EventSet};
use tradewind_sql::{Transaction, db, from_micros, micros, signed, statement, unsigned};

pub(crate) use self::snapshot::passed_over;
use self::snapshot::{begun, by_snapshot};
use super::{Current, Store};
use crate::metrics::metrics;
use crate::rows::{EVENT_COLUMNS, recorded};
use crate::{AsOf, Loaded, Recorded, StreamName};

/// The columns of `event` that [`step`] needs.
const FOLDED: &str = "type, payload, version, time, informative";

impl Store {
    /// The aggregate's committed state.
    ///
    /// # Errors
    /// `Unavailable` when the database is; `Internal` when a stored event is none of this aggregate's.
    pub async fn load<A: Aggregate>(&self, id: &str) -> Result<Loaded<A>, Error> {
        Ok(self.current::<A>(None, &StreamName::of::<A>(id)).await?.loaded())
    }

    /// The aggregate's committed state once it has seen `version` or more events, as this process last saw it where that will
    /// do; otherwise as [`load`](Self::load), which may be an older one.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub async fn load_since<A: Aggregate>(&self, id: &str, version: u64) -> Result<Loaded<A>, Error> {
        match self.cache().current::<A>(&StreamName::of::<A>(id)).filter(|seen| seen.version >= version) {
            Some(seen) => Ok(seen.loaded()),
            None => self.load(id).await,
        }
    }

    /// The aggregate's state at a point in its past.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub async fn load_as_of<A: Aggregate>(&self, id: &str, point: AsOf) -> Result<Loaded<A>, Error> {
        Ok(self.folded::<A>(None, &StreamName::of::<A>(id), Current::default(), Some(point)).await?.loaded())
    }

    /// Every event of an aggregate, in order, each with the state after it; none when it does not exist.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub async fn history_of<A: Aggregate>(&self, id: &str) -> Result<Vec<(Recorded, A)>, Error> {
        let query = format!("SELECT {EVENT_COLUMNS}, informative FROM event WHERE stream = $1 ORDER BY version");
        let query = statement(self.backend(), query, [StreamName::of::<A>(id).as_str().into()]);
        let rows = self.read(query).await?;
        let events = self.open_events(rows.iter().map(|row| recorded(row, false)).collect::<Result<_, _>>()?).await?;
        let mut current = Current::<A>::default();
        let with_state = |(row, event): (&QueryResult, Recorded)| {
            step(&mut current, row, &event.payload)?;
            Ok((event, A::clone(&current.state)))
        };
        rows.iter().zip(events).map(with_state).collect()
    }

    /// The committed state, as a transaction sees it where one is given, by way of the cache.
    ///
    /// On SQLite nobody else writes without being noticed, so what is cached is true. On PostgreSQL other replicas write as
    /// well, so what is cached is brought up to date with the events that follow it: a decision not to append has no key to
    /// protect it.
    pub(crate) async fn current<A: Aggregate>(
        &self,
        within: Option<&Transaction>,
        stream: &StreamName,
    ) -> Result<Current<A>, Error> {
        let cached = self.cache().current::<A>(stream);
        if self.backend() == DbBackend::Sqlite
            && let Some(current) = cached
        {
            return Ok(current);
        }
        self.folded(within, stream, cached.unwrap_or_default(), None).await
    }

    /// What the events up to a point make of what was `seen`. Where nothing was, they begin with a snapshot.
    async fn folded<A: Aggregate>(
        &self,
        within: Option<&Transaction>,
        stream: &StreamName,
        mut seen: Current<A>,
        until: Option<AsOf>,
    ) -> Result<Current<A>, Error> {
        if seen.version == 0
            && let Some(how) = &A::SNAPSHOT
        {
            let rows = self.read_within(within, by_snapshot(self.backend(), stream, how.form, until)).await?;
            if let Some(mut kept) = begun(how, &rows, until.is_none())? {
                let in_it_already = usize::from(kept.version > 0);
                self.fold(within, &mut kept, &rows[in_it_already..]).await?;
                return Ok(kept);
            }
        }
        let rows = self.read_within(within, to_fold(self.backend(), stream, seen.version, until)).await?;
        self.fold(within, &mut seen, &rows).await?;
        Ok(seen)
    }

    /// Applies rows of [`FOLDED`], which must follow without a gap.
    async fn fold<A: Aggregate>(
        &self,
        within: Option<&Transaction>,
        current: &mut Current<A>,
        rows: &[QueryResult],
    ) -> Result<(), Error> {
        let payloads = rows.iter().map(|row| row.try_get("", "payload").map_err(db)).collect::<Result<_, _>>()?;
        let payloads = self.opened(within, payloads).await?;
        rows.iter().zip(payloads).try_for_each(|(row, payload)| step(current, row, &payload.into_bytes()))
    }
}

/// Asks for the rows of [`FOLDED`] that follow the version `after`, up to a point, in order.
fn to_fold(backend: DbBackend, stream: &StreamName, after: u64, until: Option<AsOf>) -> Statement {
    let (until, point) = bound(until);
    let until = until.map_or_else(String::new, |until| format!(" AND version <= {until}"));
    let query = format!("SELECT {FOLDED} FROM event WHERE stream = $1 AND version > $2{until} ORDER BY version");
    let values: [Value; 2] = [stream.as_str().into(), signed(after).into()];
    statement(backend, query, values.into_iter().chain(point))
}

/// The last version up to a point, as SQL with the parameters `$1`, the stream, and `$3`, whose value it is given with.
pub(crate) fn bound(until: Option<AsOf>) -> (Option<&'static str>, Option<Value>) {
    match until {
        None => (None, None),
        Some(AsOf::Version(version)) => (Some("$3"), Some(signed(version).into())),
        // A clock set back makes times overlap; the events up to the last one of that time are a prefix all the same.
        Some(AsOf::Time(time)) => {
            (Some("(SELECT MAX(version) FROM event WHERE stream = $1 AND time <= $3)"), Some(micros(time).into()))
        }
    }
}

/// The version and time of a row of [`FOLDED`].
pub(crate) fn place(row: &QueryResult) -> Result<(u64, OffsetDateTime), Error> {
    let number = |column: &str| row.try_get::<i64>("", column).map_err(db);
    Ok((unsigned(number("version")?), from_micros(number("time")?)))
}

/// Applies a row of [`FOLDED`], whose payload is given as it was before it was sealed.
fn step<A: Aggregate>(current: &mut Current<A>, row: &QueryResult, payload: &[u8]) -> Result<(), Error> {
    let ((next, time), version) = (place(row)?, current.version);
    if next != version + 1 {
        return Err(Error::internal(format!("version {next} follows {version} in a stream of {}", A::NAME)));
    }
    let type_name: String = row.try_get("", "type").map_err(db)?;
    let informative: i64 = row.try_get("", "informative").map_err(db)?;
    apply(current, &type_name, payload, informative != 0, time)
}

/// Applies an event as it is stored. One of a later build that this one does not know is passed over where it may be.
pub(crate) fn apply<A: Aggregate>(
    current: &mut Current<A>,
    type_name: &str,
    payload: &[u8],
    informative: bool,
    time: OffsetDateTime,
) -> Result<(), Error> {
    match A::Event::decode(type_name, payload) {
        Ok(event) => current.evolve(&event, time),
        Err(DecodeError::UnknownType(_)) if informative => {
            metrics().events_passed_over.add(1, &[KeyValue::new("aggregate", A::NAME)]);
            current.pass_over(time);
        }
        Err(error) => return Err(Error::internal(error)),
    }
    Ok(())
}
