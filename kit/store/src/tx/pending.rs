//! What waits for the commit, and the statements that write it.

use std::collections::BTreeMap;

use sea_orm::sea_query::UpdateStatement;
use sea_orm::{DbBackend, Value};
use time::OffsetDateTime;
use tradewind_domain::{Error, request::RequestKey};
use tradewind_sql::{Listed, Rows, Script, With, micros, signed};

use super::cursor::Move;
use super::part::Parts;
use super::{fits, request::method_of};
use crate::Recorded;
use crate::rows::EVENT_COLUMNS;
use crate::seal::Key;

/// Writes that nothing in the transaction needs an answer to. A second write of the same key replaces the first.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) events: Vec<PendingEvent>,
    pub(super) requests: Vec<(RequestKey, Vec<u8>)>,
    pub(super) parts: Parts,
    /// Rows of the service's own tables.
    pub(super) rows: Rows,
    pub(super) changes: Vec<UpdateStatement>,
    pub(super) cursor: Option<Move>,
    /// Keys that were made.
    pub(super) subjects: BTreeMap<String, Key>,
}

pub(super) struct PendingEvent {
    pub(super) event: Recorded,
    pub(super) informative: bool,
    /// Who asked for it, as text.
    pub(super) origin: String,
}

impl Pending {
    /// The statements that write everything, at the time `now`.
    pub(super) fn script(&mut self, backend: DbBackend, now: OffsetDateTime) -> Script {
        let mut script = Script::new(backend);
        self.write_subjects(&mut script, now);
        self.write_events(&mut script);
        self.write_requests(&mut script, now);
        self.parts.all().for_each(|part| part.write(&mut script, now));
        self.rows.add_to(&mut script);
        for change in std::mem::take(&mut self.changes) {
            script.start("").add(&change);
        }
        if let Some(cursor) = self.cursor.take() {
            cursor.write(&mut script, now);
        }
        script
    }

    /// Whether it has nothing but rows and a cursor.
    pub(super) fn is_derived(&self) -> bool {
        self.events.is_empty() && self.requests.is_empty() && self.subjects.is_empty() && self.parts.is_empty()
    }

    /// Whether it surely has rows that the commit changes.
    pub(super) fn changes_something(&self) -> bool {
        !self.events.is_empty() || !self.requests.is_empty() || self.cursor.is_some() || !self.subjects.is_empty()
    }

    /// Refuses what could not pass every limit on its way later.
    pub(super) fn check(&mut self) -> Result<(), Error> {
        for event in self.events.iter().map(|pending| &pending.event) {
            fits("EVENT_TOO_LARGE", event.size(), || format!("{} of {}", event.type_name, event.stream))?;
        }
        for (key, response) in &self.requests {
            fits("RESPONSE_TOO_LARGE", response.len(), || format!("the response to {}", key.method))?;
        }
        self.parts.all().try_for_each(|part| part.check())
    }

    fn write_subjects(&mut self, script: &mut Script, now: OffsetDateTime) {
        let before = "INSERT INTO subject (name, key, made) ";
        let row = |(name, key): (String, Key)| -> [Value; 3] { [name.into(), key.bytes().into(), micros(now).into()] };
        script.list(&Listed { before, ..Listed::default() }, std::mem::take(&mut self.subjects).into_iter().map(row));
    }

    fn write_events(&mut self, script: &mut Script) {
        let before = format!("INSERT INTO event ({EVENT_COLUMNS}, informative, origin) ");
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

fn event_row(PendingEvent { event, informative, origin }: PendingEvent) -> [Value; 13] {
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
        origin.into(),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use sea_orm::sea_query::OnConflict;
    use tradewind_sql::Upsert;

    use super::*;
    use crate::bare::bare;
    use crate::plans::read_whole;

    mod car {
        use sea_orm::entity::prelude::*;

        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "car")]
        pub(super) struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub plate: String,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }

    static PARK: LazyLock<Upsert<car::Entity>> =
        LazyLock::new(|| Upsert::new(OnConflict::column(car::Column::Plate).do_nothing().to_owned()));

    fn event(version: u64) -> PendingEvent {
        let event = bare("order-1", version);
        PendingEvent { event, informative: false, origin: String::new() }
    }

    #[test]
    fn what_follows_is_found_by_its_key_however_much_is_appended() {
        let appended = |backend| {
            let mut pending = Pending { events: (1..64).map(event).collect(), ..Pending::default() };
            pending.script(backend, OffsetDateTime::UNIX_EPOCH).sent().collect()
        };
        assert_eq!(read_whole(appended), Vec::<String>::new());
    }

    #[test]
    fn a_row_beside_an_event_costs_no_round_trip_of_its_own() {
        let mut pending = Pending { events: vec![event(1)], ..Pending::default() };
        pending.rows.put(&PARK, car::Model { plate: "a".to_owned() });
        pending.rows.remove::<car::Entity>("b");
        let script = pending.script(DbBackend::Postgres, OffsetDateTime::UNIX_EPOCH);
        // What is removed may be what was put.
        assert_eq!(script.sent().count(), 2);
    }
}
