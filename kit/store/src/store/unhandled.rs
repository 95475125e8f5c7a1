//! What a consumer of the own log has still to handle at one moment: whoever adds that to what it has made of all before knows of every
//! event that is committed then, and of none that comes later.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};
use tradewind_domain::request::PAGE_BYTES;
use tradewind_domain::{Error, Recorded};
use tradewind_sql::{Moment, db, page_text, partition, statement};

use super::Store;
use crate::rows::recorded;

const COLUMNS: &str = "e.stream, e.version, e.type, e.payload, e.partition_key, e.partition, e.time, e.correlation, \
     e.causation, e.traceparent";

impl Store {
    /// The events of this log that `consumer` has not handled at a moment: those behind its cursors, those that are committed and
    /// have no place in the log yet, whose position is 0, and those in its quarantine. Those of one stream are in order. `None` where
    /// there are more than `limit`, or more bytes than a page has.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn unhandled(
        &self,
        moment: &Moment<'_>,
        consumer: &str,
        limit: usize,
    ) -> Result<Option<Vec<Recorded>>, Error> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut reached = vec![0_i64; usize::from(self.partitions())];
        for row in moment.query_all_raw(self.cursors_of(consumer)).await.map_err(db)? {
            let at = partition(row.try_get("", "partition").map_err(db)?)?;
            if let Some(reached) = reached.get_mut(usize::from(at)) {
                *reached = row.try_get("", "position").map_err(db)?;
            }
        }
        let parked = parked(self.backend(), consumer, self.context(), most);
        let behind =
            (0_i64..).zip(reached).map(|(partition, reached)| behind(self.backend(), partition, reached, most));
        let unplaced = (self.backend() == DbBackend::Postgres).then(|| unplaced(self.backend(), most));
        let mut events: Vec<Recorded> = Vec::new();
        for each in [parked].into_iter().chain(behind).chain(unplaced) {
            for row in moment.query_all_raw(each).await.map_err(db)? {
                events.push(recorded(&row, true)?);
            }
            if events.len() > limit || events.iter().map(|event| event.payload.len()).sum::<usize>() > PAGE_BYTES {
                return Ok(None);
            }
        }
        Ok(Some(self.open_events(events).await?))
    }

    fn cursors_of(&self, consumer: &str) -> Statement {
        let query = "SELECT partition, position FROM cursor WHERE consumer = $1 AND source = $2";
        statement(self.backend(), query, [consumer.into(), self.context().into()])
    }
}

/// What follows a position of a partition.
fn behind(backend: DbBackend, partition: i64, reached: i64, most: i64) -> Statement {
    let rest = "log l JOIN event e ON e.stream = l.stream AND e.version = l.version \
         WHERE l.partition = $1 AND l.position > $2 ORDER BY l.position";
    events(backend, "e.id, l.position", rest, [partition.into(), reached.into(), most.into()])
}

/// What waits for its place.
fn unplaced(backend: DbBackend, most: i64) -> Statement {
    let rest = "outbox o JOIN event e ON e.stream = o.stream AND e.version = o.version WHERE o.id > $1 ORDER BY o.id";
    events(backend, "e.id, CAST(0 AS BIGINT) AS position", rest, [0_i64.into(), most.into()])
}

/// What is in a consumer's quarantine of a log.
fn parked(backend: DbBackend, consumer: &str, source: &str, most: i64) -> Statement {
    let rest = "parked e WHERE e.consumer = $1 AND e.source = $2 ORDER BY e.stream, e.position";
    events(backend, "e.event_id AS id, e.position", rest, [consumer.into(), source.into(), most.into()])
}

/// Some of the events of `rest`, whose last value is how many; `own` is how their id and position are called there.
fn events<const N: usize>(backend: DbBackend, own: &str, rest: &str, values: [Value; N]) -> Statement {
    let query = page_text(&format!("{COLUMNS}, {own}"), "LENGTH(e.payload)", rest, &format!("${N}"));
    statement(backend, query, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::read_whole;

    #[test]
    fn it_is_found_by_keys() {
        let statements = |backend| {
            let unplaced = unplaced(backend, 1_000);
            vec![behind(backend, 0, 7, 1_000), unplaced, parked(backend, "consumer", "bank", 1_000)]
        };
        assert_eq!(read_whole(statements), Vec::<String>::new());
    }
}
