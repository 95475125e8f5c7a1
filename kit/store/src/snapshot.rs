//! Snapshots: states of long streams, kept beside them so that a stream need not be folded from its beginning.
//!
//! They are never the truth. One is written with the commit that makes it due and replaces the one before; one that cannot be used
//! is passed over, and a table without any is as good.

use std::collections::BTreeMap;
use std::sync::Arc;

use opentelemetry::KeyValue;
use sea_orm::{ConnectionTrait, Value};
use time::OffsetDateTime;
use tradewind_domain::{Aggregate, Error, LARGEST_EVENT};
use tradewind_sql::{Listed, Script, Transaction, db, from_micros, micros, signed, statement, unsigned};

use crate::metrics::metrics;
use crate::store::Current;
use crate::{Part, Store, StreamName, Tx};

/// Those that go with a commit: of each stream the newest, without the stream's name.
#[derive(Default)]
struct Snapshots(BTreeMap<StreamName, [Value; 5]>);

impl Part for Snapshots {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn write(&mut self, script: &mut Script, _: OffsetDateTime) {
        let insert = Listed {
            before: "INSERT INTO snapshot (stream, version, form, state, created, updated) ",
            after: " ON CONFLICT (stream) DO UPDATE SET version = excluded.version, form = excluded.form, \
                    state = excluded.state, created = excluded.created, updated = excluded.updated",
            ..Listed::default()
        };
        let rows = std::mem::take(&mut self.0).into_iter();
        script.list(&insert, rows.map(|(stream, row)| [stream.as_str().into()].into_iter().chain(row)));
    }
}

impl Tx {
    /// Keeps the state with the commit where the stream's growth since version `before` makes that due. A state larger than any
    /// event may be is not kept.
    pub(crate) fn keep_snapshot<A: Aggregate>(&mut self, stream: &StreamName, before: u64, current: &Current<A>) {
        let Some(how) = A::SNAPSHOT.filter(|how| how.is_due(before, current.version)) else { return };
        let state = (how.encode)(&current.state);
        if state.len() > LARGEST_EVENT {
            return passed_over::<A>("size");
        }
        let (created, updated) = (micros(current.created).into(), micros(current.updated).into());
        let row = [signed(current.version).into(), i64::from(how.form).into(), state.into(), created, updated];
        self.part::<Snapshots>().0.insert(stream.clone(), row);
    }

    /// Deletes what is kept of a stream's state beside its events: for whoever makes something in them unreadable.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn forget_snapshot(&mut self, stream: &StreamName) -> Result<(), Error> {
        self.part::<Snapshots>().0.remove(stream);
        let delete = "DELETE FROM snapshot WHERE stream = $1";
        let delete = statement(self.backend(), delete, [stream.as_str().into()]);
        self.conn().execute_raw(delete).await.map(drop).map_err(db)
    }
}

impl Store {
    /// The state that is kept of a stream, where it has the form that the aggregate has. Whether the stream bears it out is for the
    /// caller to see.
    pub(crate) async fn snapshot<A: Aggregate>(
        &self,
        within: Option<&Transaction>,
        stream: &StreamName,
    ) -> Result<Option<Current<A>>, Error> {
        let Some(how) = A::SNAPSHOT else { return Ok(None) };
        let query = "SELECT version, form, state, created, updated FROM snapshot WHERE stream = $1";
        let rows = self.read_within(within, statement(self.backend(), query, [stream.as_str().into()])).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let number = |column: &str| row.try_get::<i64>("", column).map_err(db);
        if number("form")? != i64::from(how.form) {
            passed_over::<A>("form");
            return Ok(None);
        }
        let state: Vec<u8> = row.try_get("", "state").map_err(db)?;
        let Some(state) = (how.decode)(&state) else {
            passed_over::<A>("state");
            return Ok(None);
        };
        let (created, updated) = (from_micros(number("created")?), from_micros(number("updated")?));
        Ok(Some(Current { state: Arc::new(state), version: unsigned(number("version")?), created, updated }))
    }
}

/// Counts a snapshot that was of no use, and says why.
pub(crate) fn passed_over<A: Aggregate>(why: &'static str) {
    let attributes = [KeyValue::new("aggregate", A::NAME), KeyValue::new("why", why)];
    metrics().snapshots_passed_over.add(1, &attributes);
}
