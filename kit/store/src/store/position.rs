//! How far readers have come: cursors, and tokens with which a client waits for its own write.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sea_orm::{DbBackend, QueryResult, Value};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, partition, statement, unsigned};
use uuid::Uuid;

use super::{CURSORS, Store};
use crate::token::{self, Place};
use crate::{Committed, StreamName};

/// How far a consumer has read a partition of a source. Position and event together say which history was read: a log that
/// was set back gives the same positions to other events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The last position that is done.
    pub position: u64,
    /// The log that the position belongs to.
    pub incarnation: Uuid,
    /// The event at that position; `None` before the first one, and where it was not kept.
    pub event: Option<Uuid>,
}

/// The last position that is done, and when that was, by consumer, source and partition.
pub type Cursors = HashMap<(String, String, u16), (u64, OffsetDateTime)>;

impl Cursor {
    /// Position and event as the database keeps them together.
    pub(crate) fn reached(&self) -> Option<String> {
        self.event.map(|event| format!("{} {event}", self.position))
    }
}

/// The event of what [`Cursor::reached`] wrote, unless the cursor was moved since by somebody who does not write it.
pub(crate) fn event_at(position: u64, reached: &str) -> Option<Uuid> {
    let (at, event) = reached.split_once(' ')?;
    (at.parse() == Ok(position)).then(|| event.parse().ok()).flatten()
}

/// How far each consumer was seen to have come in each partition of a source. Cursors never go back, so that waiting for what
/// was reached long ago costs no read.
#[derive(Default)]
pub(super) struct Reached(Mutex<HashMap<(String, String, u16), u64>>);

impl Reached {
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// How long an append may take to reach the log before its token is given up.
const SEQUENCING: Duration = Duration::from_secs(5);

/// How often a condition is looked at that another process may have brought about.
const POLL: Duration = Duration::from_millis(25);

impl Store {
    /// Where a reader that has seen everything in `committed` stands, as text: `<context>:<log>:<partition>:<position>`,
    /// separated by commas. On PostgreSQL it waits until the log has the events. Where nothing was appended, as by a request that was
    /// recognised or had nothing left to do, it stands for the whole log as it is now, with what is committed by now: on PostgreSQL it
    /// waits for that as well, but no longer than five seconds.
    ///
    /// # Errors
    /// `Unavailable` with reason `POSITION_NOT_ASSIGNED` when the log doesn't have them within five seconds.
    pub async fn token(&self, committed: &Committed) -> Result<String, Error> {
        let mut places = Vec::new();
        if committed.last_by_partition().next().is_none() {
            let last = self.last_committed().await?;
            self.until(self.log_grew(), SEQUENCING, |_| self.has_places(last)).await?;
            places = self.whole_log().await?;
        }
        let mut grown = self.log_grew();
        if self.backend() == DbBackend::Postgres && !committed.appended().is_empty() {
            // The sequencer needs a moment: whoever looks at once finds nothing.
            let _ = tokio::time::timeout(POLL, grown.changed()).await;
        }
        for (partition, stream, version) in committed.last_by_partition() {
            let found = self
                .until(grown.clone(), SEQUENCING, |woken| self.position_of(partition, stream, version, woken))
                .await?;
            let Some(position) = found else {
                return Err(Error::unavailable("POSITION_NOT_ASSIGNED", "the log has not taken the event in yet"));
            };
            places.push(self.place(partition, position));
        }
        Ok(token::format(&places))
    }

    /// The last of what is committed and has no place in the log yet; 0 where there is nothing. Whoever committed it may have died since.
    async fn last_committed(&self) -> Result<i64, Error> {
        if self.backend() == DbBackend::Sqlite {
            return Ok(0);
        }
        let query = statement(self.backend(), "SELECT COALESCE(MAX(id), 0) AS last FROM outbox", []);
        self.read(query).await?.first().map_or(Ok(0), |row| row.try_get("", "last").map_err(db))
    }

    /// Whether all up to that one have their places.
    async fn has_places(&self, last: i64) -> Result<Option<()>, Error> {
        if last == 0 {
            return Ok(Some(()));
        }
        let query = statement(self.backend(), "SELECT id FROM outbox WHERE id <= $1 LIMIT 1", [last.into()]);
        Ok(self.read(query).await?.is_empty().then_some(()))
    }

    async fn whole_log(&self) -> Result<Vec<Place>, Error> {
        let heads = self.heads().await?.positions;
        let grown = (0..self.partitions()).zip(heads).filter(|(_, position)| *position > 0);
        Ok(grown.map(|(partition, position)| self.place(partition, position)).collect())
    }

    pub(super) fn place(&self, partition: u16, position: u64) -> Place {
        Place { context: self.context().to_owned(), log: Some(token::log(self.incarnation())), partition, position }
    }

    /// Waits until `consumer`, a reader of this service, has handled everything that the tokens in the field `after` of a request
    /// stand for in the logs that it reads. What they say of logs that only other consumers read is checked and passed over.
    ///
    /// # Errors
    /// `Invalid` at once for more than 16 tokens, and for one that is malformed or of no log that this service reads;
    /// `Unavailable` with reason `POSITION_NOT_REACHED` when `deadline` passes first.
    pub async fn wait_for(&self, consumer: &str, after: &[String], deadline: Duration) -> Result<(), Error> {
        let mut places = self.places(after).await?;
        places.retain(|place| self.reads(consumer, &place.context));
        if places.is_empty() {
            return Ok(());
        }
        let reached = async |_| {
            for place in &places {
                if !self.has_reached(consumer, place).await? {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        };
        match self.until(self.subscribe(&CURSORS), deadline, reached).await? {
            Some(()) => Ok(()),
            None => {
                let text = format!("{consumer} has not seen everything that the request says it must see yet");
                let refused = Error::unavailable("POSITION_NOT_REACHED", text);
                Err(refused.with("waited_ms", deadline.as_millis().to_string()))
            }
        }
    }

    async fn has_reached(&self, consumer: &str, place: &Place) -> Result<bool, Error> {
        let key = (consumer.to_owned(), place.context.clone(), place.partition);
        let reached = || self.memory().reached.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reached().get(&key).is_some_and(|position| *position >= place.position) {
            return Ok(true);
        }
        let epoch = self.memory().epoch();
        let cursor = self.cursor(consumer, &place.context, place.partition).await?;
        let position = cursor.map_or(0, |cursor| cursor.position);
        let mut reached = reached();
        if epoch.has_changed().is_ok_and(|changed| !changed) {
            reached.insert(key, position);
        }
        Ok(position >= place.position)
    }

    /// How far a consumer has come; `None` when it has never read this partition.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn cursor(&self, consumer: &str, source: &str, partition: u16) -> Result<Option<Cursor>, Error> {
        let query =
            "SELECT position, incarnation, reached FROM cursor WHERE consumer = $1 AND source = $2 AND partition = $3";
        let values: [Value; 3] = [consumer.into(), source.into(), i64::from(partition).into()];
        let rows = self.read(statement(self.backend(), query, values)).await?;
        let cursor = |row: &QueryResult| {
            let incarnation: String = row.try_get("", "incarnation").map_err(db)?;
            let position = unsigned(row.try_get("", "position").map_err(db)?);
            let reached: Option<String> = row.try_get("", "reached").map_err(db)?;
            Ok(Cursor {
                position,
                incarnation: incarnation.parse().map_err(Error::internal)?,
                event: reached.and_then(|reached| event_at(position, &reached)),
            })
        };
        rows.first().map(cursor).transpose()
    }

    /// How far every consumer has come.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn cursors(&self) -> Result<Cursors, Error> {
        let query = "SELECT consumer, source, partition, position, updated FROM cursor";
        let rows = self.read(statement(self.backend(), query, [])).await?;
        let cursor = |row: &QueryResult| {
            let number = |column: &str| row.try_get::<i64>("", column).map_err(db);
            let text = |column: &str| row.try_get::<String>("", column).map_err(db);
            let key = (text("consumer")?, text("source")?, partition(number("partition")?)?);
            Ok((key, (unsigned(number("position")?), from_micros(number("updated")?))))
        };
        rows.iter().map(cursor).collect()
    }

    /// Where an event is in the log. While places are given here, and `woken` by that, there is nothing to ask the database.
    async fn position_of(
        &self,
        partition: u16,
        stream: &StreamName,
        version: u64,
        woken: bool,
    ) -> Result<Option<u64>, Error> {
        let tail = self.tails().get(usize::from(partition));
        if let Some(position) = tail.and_then(|tail| tail.position_of(stream, version)) {
            return Ok(Some(position));
        }
        if woken && tail.is_some_and(|tail| tail.sequenced().is_some()) {
            return Ok(None);
        }
        let query = "SELECT position FROM log WHERE stream = $1 AND version = $2";
        let values: [Value; 2] = [stream.as_str().into(), tradewind_sql::signed(version).into()];
        let rows = self.read(statement(self.backend(), query, values)).await?;
        rows.first().map(|row| row.try_get("", "position").map(unsigned).map_err(db)).transpose()
    }

    /// Looks for something now, whenever `changed` tells so, and now and then, until it is there or `limit` has passed; `look` is
    /// told whether it is not time yet.
    async fn until<T, R>(
        &self,
        mut changed: watch::Receiver<u64>,
        limit: Duration,
        look: impl Fn(bool) -> R,
    ) -> Result<Option<T>, Error>
    where
        R: Future<Output = Result<Option<T>, Error>>,
    {
        let deadline = Instant::now() + limit;
        let (mut woken, mut looked) = (true, Instant::now());
        loop {
            changed.mark_unchanged();
            let found = look(woken).await?;
            let now = Instant::now();
            if found.is_some() || now >= deadline {
                return Ok(found);
            }
            if !woken {
                looked = now;
            }
            let _ = tokio::time::timeout_at((looked + POLL).min(deadline), changed.changed()).await;
            woken = looked.elapsed() < POLL;
        }
    }
}
