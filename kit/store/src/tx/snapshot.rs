//! Snapshots as they go with a commit: one is written with what makes it due, and replaces the one before.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, Value};
use time::OffsetDateTime;
use tradewind_domain::{Aggregate, Error, LARGEST_EVENT};
use tradewind_sql::{Listed, Script, db, micros, signed, statement};

use super::{Part, Tx};
use crate::StreamName;
use crate::store::{Current, passed_over};

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
    pub(super) fn keep_snapshot<A: Aggregate>(&mut self, stream: &StreamName, before: u64, current: &Current<A>) {
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
