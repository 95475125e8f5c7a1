//! Events with who asked for them.

use sea_orm::{QueryResult, Value};
use tradewind_domain::{Error, Origin};
use tradewind_sql::{db, page_text, signed, statement};

use super::Store;
use crate::rows::recorded;
use crate::{Recorded, StreamName};

impl Store {
    /// Up to `limit` events of a stream that follow the version `after`, and no more than a page has, each with who asked for it; the
    /// position of one that is not yet in the log is 0.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn audit(&self, stream: &StreamName, after: u64, limit: usize) -> Result<Vec<(Recorded, Origin)>, Error> {
        let columns = "e.stream, e.version, e.id, e.type, e.payload, e.partition_key, e.partition, e.time, e.correlation, e.causation, \
             e.traceparent, e.origin, COALESCE(l.position, 0) AS position";
        let rest = "event e LEFT JOIN log l ON l.stream = e.stream AND l.version = e.version \
             WHERE e.stream = $1 AND e.version > $2 ORDER BY e.version";
        let query = page_text(columns, "LENGTH(e.payload)", rest, "$3");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values: [Value; 3] = [stream.as_str().into(), signed(after).into(), limit.into()];
        let rows = self.read(statement(self.backend(), query, values)).await?;
        let origin =
            |row: &QueryResult| row.try_get::<String>("", "origin").map(|origin| Origin::told(&origin)).map_err(db);
        let origins = rows.iter().map(origin).collect::<Result<Vec<_>, _>>()?;
        let events = rows.iter().map(|row| recorded(row, true)).collect::<Result<_, _>>()?;
        Ok(self.open_events(events).await?.into_iter().zip(origins).collect())
    }
}
