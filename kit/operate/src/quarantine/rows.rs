//! The rows of quarantine, read.

use sea_orm::{ConnectionTrait, QueryResult, Value};
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, page_text, signed, statement, unsigned};
use tradewind_store::{Store, recorded};

use super::{ParkedEvent, ParkedStream, ParkedSummary};

/// What [`parked_event`] expects.
const COLUMNS: &str = "p.payload, p.stream, p.version, p.event_id AS id, p.type, p.partition_key, p.partition, p.time, \
     p.correlation, p.causation, p.traceparent, p.position, p.reason, p.error, p.attempts, p.parked_at";
/// The same without a payload.
const SUMMARY: &str = "SUBSTR(p.payload, 1, 0) AS payload, p.stream, p.version, p.event_id AS id, p.type, p.partition_key, \
     p.partition, p.time, p.correlation, p.causation, p.traceparent, p.position, p.reason, p.error, p.attempts, p.parked_at";

/// How much of one source is in quarantine for one consumer.
pub(crate) struct Amount {
    pub(crate) consumer: String,
    pub(crate) source: String,
    pub(crate) streams: u64,
    pub(crate) events: u64,
}

/// Up to `limit` streams in quarantine that follow `after`, by consumer, source and name.
pub(super) async fn summaries(
    store: &Store,
    after: Option<&ParkedStream>,
    limit: usize,
) -> Result<Vec<ParkedSummary>, Error> {
    let query = format!(
        "SELECT p.consumer, p.source, g.events, {SUMMARY} FROM parked p JOIN (\
         SELECT consumer, source, stream, MIN(position) AS position, COUNT(*) AS events FROM parked \
         WHERE (consumer, source, stream) > ($1, $2, $3) GROUP BY consumer, source, stream \
         ORDER BY consumer, source, stream LIMIT $4) g \
         ON p.consumer = g.consumer AND p.source = g.source AND p.stream = g.stream AND p.position = g.position \
         ORDER BY p.consumer, p.source, p.stream"
    );
    let [consumer, source, stream] = after.map_or_else(|| ["", "", ""].map(Value::from), ParkedStream::values);
    let values = [consumer, source, stream, most(limit)];
    let found = store.reader().query_all_raw(statement(store.backend(), query, values)).await.map_err(db)?;
    found.iter().map(summary).collect()
}

/// Up to `limit` events of a stream in quarantine that follow the position `after`, in order, and no more than a page has and
/// one.
pub(super) async fn events(
    store: &Store,
    stream: &ParkedStream,
    after: u64,
    limit: usize,
) -> Result<Vec<ParkedEvent>, Error> {
    events_on(store.reader(), stream, after, limit).await
}

/// The same as `connection` sees them.
pub(super) async fn events_on<C: ConnectionTrait>(
    connection: &C,
    stream: &ParkedStream,
    after: u64,
    limit: usize,
) -> Result<Vec<ParkedEvent>, Error> {
    let rest =
        "parked p WHERE p.consumer = $1 AND p.source = $2 AND p.stream = $3 AND p.position > $4 ORDER BY p.position";
    let query = page_text(COLUMNS, "LENGTH(p.payload)", rest, "$5");
    let [consumer, source, name] = stream.values();
    let values = [consumer, source, name, signed(after).into(), most(limit)];
    let query = statement(connection.get_database_backend(), query, values);
    let found = connection.query_all_raw(query).await.map_err(db)?;
    found.iter().map(parked_event).collect()
}

/// How many events of a stream are in quarantine.
pub(super) async fn count(store: &Store, stream: &ParkedStream) -> Result<u64, Error> {
    let query = "SELECT COUNT(*) AS events FROM parked WHERE consumer = $1 AND source = $2 AND stream = $3";
    let query = statement(store.backend(), query, stream.values());
    let row = store.reader().query_one_raw(query).await.map_err(db)?;
    row.map_or(Ok(0), |row| row.try_get("", "events").map(unsigned).map_err(db))
}

/// How much is in quarantine, for every consumer and source of which anything is.
pub(crate) async fn amounts_parked(store: &Store) -> Result<Vec<Amount>, Error> {
    let query = "SELECT consumer, source, COUNT(DISTINCT stream) AS streams, COUNT(*) AS events FROM parked \
         GROUP BY consumer, source";
    let found = store.read(statement(store.backend(), query, [])).await?;
    let amount = |row: &QueryResult| {
        Ok(Amount {
            consumer: row.try_get("", "consumer").map_err(db)?,
            source: row.try_get("", "source").map_err(db)?,
            streams: unsigned(row.try_get("", "streams").map_err(db)?),
            events: unsigned(row.try_get("", "events").map_err(db)?),
        })
    };
    found.iter().map(amount).collect()
}
fn most(limit: usize) -> Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}

fn summary(row: &QueryResult) -> Result<ParkedSummary, Error> {
    let first = parked_event(row)?;
    let events: i64 = row.try_get("", "events").map_err(db)?;
    let stream = ParkedStream {
        consumer: row.try_get("", "consumer").map_err(db)?,
        source: row.try_get("", "source").map_err(db)?,
        stream: first.event.stream.clone(),
    };
    Ok(ParkedSummary { stream, first, queued: unsigned(events - 1) })
}

fn parked_event(row: &QueryResult) -> Result<ParkedEvent, Error> {
    let attempts: i64 = row.try_get("", "attempts").map_err(db)?;
    Ok(ParkedEvent {
        event: recorded(row, true)?,
        reason: row.try_get("", "reason").map_err(db)?,
        error: row.try_get("", "error").map_err(db)?,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        since: from_micros(row.try_get("", "parked_at").map_err(db)?),
    })
}
