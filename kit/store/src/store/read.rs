//! Reading streams and the log.

use sea_orm::{DbBackend, QueryResult, Statement, Value};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_domain::request::PAGE_BYTES;
use tradewind_sql::{Transaction, db, micros, page_text, signed, statement, unsigned};
use uuid::Uuid;

use super::Store;
use super::tail::{Following, Tail};
use crate::rows::{EVENT_COLUMNS, recorded};
use crate::{Heads, LogPage, Recorded, StreamName};

impl Store {
    /// Every event of a stream, in order; their positions in the log are not read.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn history(&self, stream: &StreamName) -> Result<Vec<Recorded>, Error> {
        let query = format!("SELECT {EVENT_COLUMNS} FROM event WHERE stream = $1 ORDER BY version");
        let query = statement(self.backend(), query, [stream.as_str().into()]);
        let rows = self.read(query).await?;
        self.open_events(rows.iter().map(|row| recorded(row, false)).collect::<Result<_, _>>()?).await
    }

    /// Up to `limit` events about a key, whatever their streams, that follow the event recorded at `after` with that id, in the
    /// order of recording, and no more than a page has; the position of one that is not yet in the log is 0.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn read_key(
        &self,
        key: &str,
        after: Option<(OffsetDateTime, Uuid)>,
        limit: usize,
    ) -> Result<Vec<Recorded>, Error> {
        let (time, id) = after.map_or((i64::MIN, Uuid::nil()), |(time, id)| (micros(time), id));
        let columns = "e.stream, e.version, e.id, e.type, e.payload, e.partition_key, e.partition, e.time, e.correlation, e.causation, \
             e.traceparent, COALESCE(l.position, 0) AS position";
        let rest = "event e LEFT JOIN log l ON l.stream = e.stream AND l.version = e.version \
             WHERE e.partition_key = $1 AND (e.time, e.id) > ($2, $3) ORDER BY e.time, e.id";
        let query = page_text(columns, "LENGTH(e.payload)", rest, "$4");
        let values: [Value; 4] = [key.into(), time.into(), id.into(), count(limit)];
        let query = statement(self.backend(), query, values);
        let rows = self.read(query).await?;
        self.open_events(rows.iter().map(|row| recorded(row, true)).collect::<Result<_, _>>()?).await
    }

    /// The same as [`read_log`](Self::read_log), out of memory where this process has just written it.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn follow_log(&self, partition: u16, after: u64, limit: usize) -> Result<LogPage, Error> {
        let page = |head, after, events| LogPage {
            incarnation: self.incarnation(),
            head,
            partitions: self.partitions(),
            after,
            events,
        };
        let Some(tail) = self.tails().get(usize::from(partition)) else {
            return self.read_log(partition, after, limit).await;
        };
        match tail.read(after, limit) {
            Following::Events(events, before, head) => Ok(page(head, before, self.open_events(events).await?)),
            Following::Nothing(head) => Ok(page(head, None, Vec::new())),
            Following::Unknown => self.read_log(partition, after, limit).await,
        }
    }

    /// Up to `limit` events of a partition that follow the position `after`, as the database has them now, and no more than a page
    /// has.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn read_log(&self, partition: u16, after: u64, limit: usize) -> Result<LogPage, Error> {
        // One more, which is the event at `after`.
        let query = of_log(self.backend(), partition, after, limit.saturating_add((after > 0).into()));
        let rows = self.read(query).await?;
        let events = rows.iter().map(|row| recorded(row, true)).collect::<Result<_, _>>()?;
        let mut events = self.open_events(events).await?;
        let before = events.first().filter(|first| first.position == after).map(|first| first.id);
        if before.is_some() {
            events.remove(0);
        }
        let whole = events.len();
        events.truncate(fit(&events).min(limit));
        let head = match events.last() {
            Some(last) if whole == events.len() && whole < limit => last.position,
            None if before.is_some() && limit > 0 => after,
            _ => self.head(None, partition).await?,
        };
        if let Some(last) = events.last() {
            self.memory().saw(partition, (last.position, last.id));
        }
        let (incarnation, partitions) = (self.incarnation(), self.partitions());
        Ok(LogPage { incarnation, head, partitions, after: before, events })
    }

    /// The last position of each partition, out of memory where this process gives places.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn follow_heads(&self) -> Result<Vec<u64>, Error> {
        match self.tails().iter().map(Tail::sequenced).collect() {
            Some(heads) => Ok(heads),
            None => Ok(self.heads().await?.positions),
        }
    }

    /// How far each partition of the log has grown.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn heads(&self) -> Result<Heads, Error> {
        let each: Vec<String> = (0..self.partitions())
            .map(|partition| format!("(SELECT MAX(position) FROM log WHERE partition = {partition}) AS p{partition}"))
            .collect();
        let query = statement(self.backend(), format!("SELECT {}", each.join(", ")), []);
        let rows = self.read(query).await?;
        let row = rows.first().ok_or_else(|| Error::internal("no heads"))?;
        let positions = (0..self.partitions())
            .map(|partition| {
                let head: Option<i64> = row.try_get("", &format!("p{partition}")).map_err(db)?;
                Ok(head.map_or(0, unsigned))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Heads { incarnation: self.incarnation(), positions })
    }

    /// The last position of a partition, as a transaction sees it where one is given; 0 when it is empty.
    pub(super) async fn head(&self, within: Option<&Transaction>, partition: u16) -> Result<u64, Error> {
        let query = "SELECT MAX(position) AS head FROM log WHERE partition = $1";
        let query = statement(self.backend(), query, [i64::from(partition).into()]);
        let rows = self.read_within(within, query).await?;
        let head: Option<i64> = rows.first().map(|row| row.try_get("", "head")).transpose().map_err(db)?.flatten();
        Ok(head.map_or(0, unsigned))
    }

    /// The version of a stream as a transaction sees it; 0 when it does not exist.
    pub(crate) async fn version(&self, within: &Transaction, stream: &StreamName) -> Result<u64, Error> {
        let query = "SELECT MAX(version) AS version FROM event WHERE stream = $1";
        let query = statement(self.backend(), query, [stream.as_str().into()]);
        let rows = within.read(query).await.map_err(db)?;
        let version: Option<i64> =
            rows.first().map(|row| row.try_get("", "version")).transpose().map_err(db)?.flatten();
        Ok(version.map_or(0, unsigned))
    }

    /// Runs a statement that reads, in a transaction where one is given.
    pub(crate) async fn read_within(
        &self,
        within: Option<&Transaction>,
        statement: Statement,
    ) -> Result<Vec<QueryResult>, Error> {
        match within {
            Some(transaction) => transaction.read(statement).await.map_err(db),
            None => self.read(statement).await,
        }
    }
}

/// Asks for up to `limit` events of a partition from a position on, and for no payload of the event there.
fn of_log(backend: DbBackend, partition: u16, from: u64, limit: usize) -> Statement {
    // On SQLite a part of nothing is no text, but NULL.
    let columns = "e.stream, e.version, e.id, e.type, CASE WHEN l.position > $2 THEN e.payload \
         ELSE COALESCE(SUBSTR(e.payload, 1, 0), e.payload) END AS payload, e.partition_key, e.partition, e.time, e.correlation, \
         e.causation, e.traceparent, l.position";
    let size = "CASE WHEN l.position > $2 THEN LENGTH(e.payload) ELSE 0 END";
    let rest = "log l JOIN event e ON e.stream = l.stream AND e.version = l.version \
         WHERE l.partition = $1 AND l.position >= $2 ORDER BY l.position";
    let values: [Value; 3] = [i64::from(partition).into(), signed(from).into(), count(limit)];
    statement(backend, page_text(columns, size, rest, "$3"), values)
}

/// How many of the first events a page has; the first always.
pub(super) fn fit(events: &[Recorded]) -> usize {
    let mut bytes = 0;
    let fits = |event: &&Recorded| {
        let first = bytes == 0;
        bytes += event.size();
        first || bytes <= PAGE_BYTES
    };
    events.iter().take_while(fits).count()
}

fn count(limit: usize) -> Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::read_whole;

    #[test]
    fn a_page_of_the_log_is_found_by_its_key_and_in_one_process() {
        assert_eq!(read_whole(|backend| vec![of_log(backend, 3, 6_000, 513)]), Vec::<String>::new());
    }
}
