//! Snapshots: states of long streams, kept beside them so that a stream need not be folded from its beginning.
//!
//! They are never the truth. One that cannot be used is passed over, and a table without any is as good.

use std::sync::Arc;

use opentelemetry::KeyValue;
use sea_orm::{DbBackend, QueryResult, Statement, Value};
use tradewind_domain::{Aggregate, Error, Snapshot};
use tradewind_sql::{db, from_micros, statement, unsigned};

use super::{bound, place};
use crate::metrics::metrics;
use crate::store::Current;
use crate::{AsOf, StreamName};

/// Asks for the events of a stream that are to be folded up to a point, each with what is known of the stream's snapshot. They begin
/// with the event that the snapshot was kept after, with which its `state` is: if that event is there, of the same version and
/// time, and within the prefix that is asked for. Times alone do not tell that, for a clock may have been set back. Otherwise
/// they begin with the first.
pub(crate) fn by_snapshot(backend: DbBackend, stream: &StreamName, form: u32, until: Option<AsOf>) -> Statement {
    let (until, point) = bound(until);
    let upto = |version: &str| until.map_or_else(String::new, |until| format!(" AND {version} <= {until}"));
    let (kept, asked) = (upto("snapshot.version"), upto("event.version"));
    let query = format!(
        "SELECT type, payload, event.version, time, informative, created, form, snapshot.version AS kept, \
         CASE WHEN form = $2 AND snapshot.version = event.version AND updated = time THEN state END AS state \
         FROM event LEFT JOIN snapshot ON snapshot.stream = event.stream \
         WHERE event.stream = $1 AND event.version >= COALESCE((SELECT snapshot.version FROM snapshot \
         JOIN event ON event.stream = snapshot.stream AND event.version = snapshot.version AND time = updated \
         WHERE snapshot.stream = $1 AND form = $2{kept}), 0){asked} ORDER BY event.version"
    );
    let values: [Value; 2] = [stream.as_str().into(), i64::from(form).into()];
    statement(backend, query, values.into_iter().chain(point))
}

/// What rows of [`by_snapshot`] begin with: the state after the first of them, or one before it, of version 0. `None` where what is
/// kept cannot be read. That the stream does not bear it out shows for certain where `all` of its events were asked for, or the
/// version is among them.
pub(crate) fn begun<A: Aggregate>(
    how: &Snapshot<A>,
    rows: &[QueryResult],
    all: bool,
) -> Result<Option<Current<A>>, Error> {
    let Some((first, last)) = rows.first().zip(rows.last()) else { return Ok(Some(Current::default())) };
    if let Some(state) = first.try_get::<Option<Vec<u8>>>("", "state").map_err(db)? {
        let Some(state) = (how.decode)(&state) else {
            passed_over::<A>("state");
            return Ok(None);
        };
        let ((version, updated), created) = (place(first)?, first.try_get("", "created").map_err(db)?);
        return Ok(Some(Current { state: Arc::new(state), version, created: from_micros(created), updated }));
    }
    let number = |column: &str| first.try_get::<Option<i64>>("", column).map_err(db);
    match (number("form")?, number("kept")?) {
        (Some(form), _) if form != i64::from(how.form) => passed_over::<A>("form"),
        (_, Some(kept)) if all || unsigned(kept) <= place(last)?.0 => passed_over::<A>("stream"),
        _ => {}
    }
    Ok(Some(Current::default()))
}

/// Counts a snapshot that was of no use, and says why.
pub(crate) fn passed_over<A: Aggregate>(why: &'static str) {
    let attributes = [KeyValue::new("aggregate", A::NAME), KeyValue::new("why", why)];
    metrics().snapshots_passed_over.add(1, &attributes);
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::plans::read_whole;

    #[test]
    fn what_is_kept_and_what_follows_are_found_by_their_keys() {
        let points = [None, Some(AsOf::Version(7)), Some(AsOf::Time(OffsetDateTime::UNIX_EPOCH))];
        let stream = StreamName::from("order-1");
        let statements = |backend| points.map(|until| by_snapshot(backend, &stream, 1, until)).to_vec();
        assert_eq!(read_whole(statements), Vec::<String>::new());
    }
}
