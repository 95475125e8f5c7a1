//! What waits for the commit, and the statements that write it.

use std::collections::HashSet;

use sea_orm::sea_query::UpdateStatement;
use sea_orm::{DbBackend, Value};
use time::OffsetDateTime;
use tradewind_domain::{Error, request::RequestKey};
use tradewind_sql::{Listed, Script, With, micros, signed};

use super::cursor::Move;
use super::part::Parts;
use super::put::Write;
use super::{fits, request::method_of};
use crate::Recorded;
use crate::rows::EVENT_COLUMNS;

/// Writes that nothing in the transaction needs an answer to. A second write of the same key replaces the first.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) events: Vec<PendingEvent>,
    pub(super) requests: Vec<(RequestKey, Vec<u8>)>,
    pub(super) parts: Parts,
    /// Rows of the service's own tables, by statement, in an order that keeps each row's; no key is twice in one.
    rows: Vec<PendingRows>,
    pub(super) changes: Vec<UpdateStatement>,
    pub(super) cursor: Option<Move>,
}

pub(super) struct PendingEvent {
    pub(super) event: Recorded,
    pub(super) informative: bool,
}

struct PendingRows {
    table: &'static str,
    write: Write,
    keys: HashSet<String>,
    rows: Vec<Vec<Value>>,
}

impl Pending {
    /// The statements that write everything, at the time `now`, unless anything is too large.
    pub(super) fn script(&mut self, backend: DbBackend, now: OffsetDateTime) -> Result<Script, Error> {
        self.check()?;
        let mut script = Script::new(backend);
        self.write_events(&mut script);
        self.write_requests(&mut script, now);
        self.parts.all().for_each(|part| part.write(&mut script, now));
        self.write_rows(&mut script);
        for change in std::mem::take(&mut self.changes) {
            script.start("").add(&change);
        }
        if let Some(cursor) = self.cursor.take() {
            cursor.write(&mut script, now);
        }
        Ok(script)
    }

    /// Whether it surely has rows that the commit changes.
    pub(super) fn changes_something(&self) -> bool {
        !self.events.is_empty() || !self.requests.is_empty() || self.cursor.is_some()
    }

    /// Refuses what could not pass every limit on its way later.
    fn check(&mut self) -> Result<(), Error> {
        for event in self.events.iter().map(|pending| &pending.event) {
            fits("EVENT_TOO_LARGE", event.size(), || format!("{} of {}", event.type_name, event.stream))?;
        }
        for (key, response) in &self.requests {
            fits("RESPONSE_TOO_LARGE", response.len(), || format!("the response to {}", key.method))?;
        }
        self.parts.all().try_for_each(|part| part.check())
    }

    /// Keeps a row of a service's own.
    pub(super) fn write(&mut self, table: &'static str, write: Write, key: String, row: Vec<Value>) {
        // Nothing that follows what is written of the row before may be joined to what precedes it.
        let later = self.rows.iter().rposition(|rows| rows.table == table && rows.keys.contains(&key));
        let mut later = self.rows.iter_mut().skip(later.map_or(0, |last| last + 1));
        if let Some(same) = later.rfind(|rows| rows.table == table && rows.write == write) {
            same.keys.insert(key);
            same.rows.push(row);
        } else {
            self.rows.push(PendingRows { table, write, keys: HashSet::from([key]), rows: vec![row] });
        }
    }

    fn write_events(&mut self, script: &mut Script) {
        let before = format!("INSERT INTO event ({EVENT_COLUMNS}, informative) ");
        let returned = Some(("partition, stream, version", outbox as With));
        let insert = Listed { before: &before, returned, ..Listed::default() };
        script.list(&insert, std::mem::take(&mut self.events).into_iter().map(event_row));
    }

    fn write_requests(&mut self, script: &mut Script, now: OffsetDateTime) {
        let before = "INSERT INTO request (principal, method, request_id, hash, asked, response, time) ";
        let row = |(key, response): (RequestKey, Vec<u8>)| -> [Value; 7] {
            let method = method_of(&key).into();
            [
                key.principal.into(),
                method,
                key.request_id.into(),
                key.hash.to_vec().into(),
                key.asked.to_vec().into(),
                response.into(),
                micros(now).into(),
            ]
        };
        script.list(&Listed { before, ..Listed::default() }, std::mem::take(&mut self.requests).into_iter().map(row));
    }

    fn write_rows(&mut self, script: &mut Script) {
        let mut tables = HashSet::new();
        for PendingRows { table, write, rows, .. } in std::mem::take(&mut self.rows) {
            // It may change what an earlier one of its table has changed.
            let follows = !tables.insert(table);
            let (before, after) = match &write {
                Write::Put { insert, on_conflict } => (*insert, *on_conflict),
                Write::Remove { delete } => (delete.as_str(), ")"),
            };
            script.list(&Listed { before, after, follows, ..Listed::default() }, rows);
        }
    }
}

/// Adds the events of the statement `appended` to the outbox. No column may be NULL, and so nothing is committed where a version
/// has no predecessor; on SQLite the trigger that writes the log sees to it.
fn outbox(appended: &str) -> String {
    // What the statement itself appends is not in the table yet for it: of each stream only the first is looked up there, by
    // its version: EXISTS may be answered out of a hash of the whole table.
    format!(
        "INSERT INTO outbox (partition, stream, version) SELECT partition, stream, CASE WHEN version = 1 OR ahead = version - 1 \
         THEN version ELSE (SELECT b.version + 1 FROM event b WHERE b.stream = a.stream AND b.version = a.version - 1) END \
         FROM (SELECT partition, stream, version, place, LAG(version) OVER (PARTITION BY stream ORDER BY version) AS ahead \
         FROM (SELECT partition, stream, version, ROW_NUMBER() OVER () AS place FROM {appended}) n) a ORDER BY place"
    )
}

fn event_row(PendingEvent { event, informative }: PendingEvent) -> [Value; 12] {
    [
        event.stream.as_str().into(),
        signed(event.version).into(),
        event.id.into(),
        event.type_name.into(),
        event.payload.into(),
        event.metadata.partition_key.into(),
        i64::from(event.partition).into(),
        micros(event.time).into(),
        event.metadata.correlation.into(),
        event.metadata.causation.into(),
        event.metadata.traceparent.into(),
        i64::from(informative).into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::read_whole;

    fn event(version: u64) -> PendingEvent {
        let event = Recorded::bare("order-1", version);
        PendingEvent { event, informative: false }
    }

    #[test]
    fn what_follows_is_found_by_its_key_however_much_is_appended() {
        let appended = |backend| {
            let mut pending = Pending { events: (1..64).map(event).collect(), ..Pending::default() };
            pending.script(backend, OffsetDateTime::UNIX_EPOCH).unwrap().sent().collect()
        };
        assert_eq!(read_whole(appended), Vec::<String>::new());
    }

    fn written(writes: &[(&str, &str)]) -> Vec<String> {
        let mut pending = Pending::default();
        for (write, key) in writes {
            let write = match *write {
                "put" => Write::Put { insert: "PUT ", on_conflict: " OR ELSE" },
                _ => Write::Remove { delete: "REMOVE (".to_owned() },
            };
            pending.write("car", write, (*key).to_owned(), vec![(*key).into()]);
        }
        let script = pending.script(DbBackend::Sqlite, OffsetDateTime::UNIX_EPOCH).unwrap();
        script.sent().map(|sent| sent.sql).collect()
    }

    #[test]
    fn a_row_beside_an_event_costs_no_round_trip_of_its_own() {
        let mut pending = Pending { events: vec![event(1)], ..Pending::default() };
        let put = Write::Put { insert: "INSERT INTO car ", on_conflict: "" };
        pending.write("car", put, "a".to_owned(), vec!["a".into()]);
        pending.write("car", Write::Remove { delete: "REMOVE (".to_owned() }, "b".to_owned(), vec!["b".into()]);
        let script = pending.script(DbBackend::Postgres, OffsetDateTime::UNIX_EPOCH).unwrap();
        // What is removed may be what was put.
        assert_eq!(script.sent().count(), 2);
    }

    #[test]
    fn rows_share_a_statement_unless_one_row_is_written_twice() {
        assert_eq!(
            written(&[("put", "a"), ("remove", "b"), ("put", "c"), ("remove", "d")]),
            ["PUT VALUES (?), (?) OR ELSE", "REMOVE (VALUES (?), (?))"]
        );
        assert_eq!(
            written(&[("put", "a"), ("remove", "a"), ("put", "b"), ("put", "a"), ("remove", "b")]),
            ["PUT VALUES (?), (?) OR ELSE", "REMOVE (VALUES (?), (?))", "PUT VALUES (?) OR ELSE"]
        );
        assert_eq!(
            written(&[("put", "a"), ("put", "a"), ("put", "b"), ("remove", "b")]),
            ["PUT VALUES (?) OR ELSE", "PUT VALUES (?), (?) OR ELSE", "REMOVE (VALUES (?))"]
        );
    }
}
