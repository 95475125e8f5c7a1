//! The kit's own tables, the same on SQLite and PostgreSQL.
//!
//! Every number is BIGINT, times are microseconds since the Unix epoch (UTC) in BIGINT, ids are UUID on PostgreSQL and
//! 16-byte BLOB on SQLite. No service's table belongs here, and no statement that reads or writes these.

mod log;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use self::log::{GUARDED, LOGGED, OUTBOX};
use crate::error::VERSION_MISSING;

/// A step of the schema: what it is called for good, and its statements.
struct Step {
    name: &'static str,
    up: fn(DbBackend) -> Vec<String>,
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for statement in (self.up)(connection.get_database_backend()) {
            connection.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

/// The kit's own steps, oldest first.
const STEPS: [Step; 14] = [
    Step {
        name: "kit_0001_create_event_store",
        up: |backend| {
            let tables = TABLES.iter().map(|table| render(table, backend));
            let indexes = INDEXES.iter().map(ToString::to_string);
            let log = if backend == DbBackend::Postgres { OUTBOX } else { LOGGED };
            tables.chain(indexes).chain([log.to_owned()]).collect()
        },
    },
    // And the index by which old requests are found.
    Step {
        name: "kit_0002_create_pause",
        up: |backend| vec![render(PAUSE, backend), "CREATE INDEX request_time ON request (time)".to_owned()],
    },
    Step { name: "kit_0003_create_act", up: |backend| vec![numbered(ACT, backend)] },
    // Tells a build that does not know an event's type whether it may pass over it.
    Step {
        name: "kit_0004_add_informative",
        up: |_| vec!["ALTER TABLE event ADD COLUMN informative BIGINT NOT NULL DEFAULT 0".to_owned()],
    },
    // Which event a cursor has reached, as `<position> <id>`: where a log was set back, its positions alone do not tell. The position
    // is in it because a build before, and operators, move a cursor without it.
    Step { name: "kit_0006_add_reached", up: |_| vec!["ALTER TABLE cursor ADD COLUMN reached TEXT NULL".to_owned()] },
    Step { name: "kit_0007_create_stuck", up: |backend| vec![render(STUCK, backend)] },
    // What a stored request asked, which is less than what it said.
    Step {
        name: "kit_0007_add_asked",
        up: |backend| vec![named("ALTER TABLE request ADD COLUMN asked {bytes} NULL", backend)],
    },
    Step { name: "kit_0008_create_reference", up: |backend| vec![render(REFERENCE, backend)] },
    // No version enters the log without the one before; on PostgreSQL the statement that appends sees to it.
    Step {
        name: "kit_0009_guard_versions",
        up: |backend| match backend {
            DbBackend::Postgres => Vec::new(),
            _ => vec!["DROP TRIGGER event_logged".to_owned(), GUARDED.replace("{missing}", VERSION_MISSING)],
        },
    },
    Step { name: "kit_0010_create_projection", up: |backend| vec![render(PROJECTION, backend)] },
    // By time they are pruned, by correlation found.
    Step {
        name: "kit_0011_create_attempt",
        up: |backend| {
            let indexes = ["time", "correlation"].map(|by| format!("CREATE INDEX attempt_{by} ON attempt ({by})"));
            [render(ATTEMPT, backend)].into_iter().chain(indexes).collect()
        },
    },
    Step { name: "kit_0012_create_snapshot", up: |backend| vec![render(SNAPSHOT, backend)] },
    // Who asked for an event to be recorded; readers of the log are not told.
    Step {
        name: "kit_0013_add_origin",
        up: |_| vec!["ALTER TABLE event ADD COLUMN origin TEXT NOT NULL DEFAULT ''".to_owned()],
    },
    Step { name: "kit_0014_create_subject", up: |backend| vec![render(SUBJECT, backend)] },
];

/// The migrations of the kit, oldest first; they run before the service's own.
pub(crate) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    STEPS.into_iter().map(|step| Box::new(step) as Box<dyn MigrationTrait>).collect()
}

/// A statement with the backend's names in place of `{bytes}` and `{uuid}`.
fn named(statement: &str, backend: DbBackend) -> String {
    let (bytes, uuid) = if backend == DbBackend::Postgres { ("BYTEA", "UUID") } else { ("BLOB", "BLOB") };
    statement.replace("{bytes}", bytes).replace("{uuid}", uuid)
}

/// The statement that makes a table; on SQLite it is clustered by its key, so that a row is written to one b-tree and not to two.
fn render(table: &str, backend: DbBackend) -> String {
    named(table, backend) + if backend == DbBackend::Postgres { "" } else { " WITHOUT ROWID" }
}

/// The statement that makes a table whose rows the database numbers: `{number}` is the type of the number.
fn numbered(table: &str, backend: DbBackend) -> String {
    let number = if backend == DbBackend::Postgres { "BIGSERIAL" } else { "INTEGER" };
    named(table, backend).replace("{number}", number)
}

const TABLES: &[&str] = &[
    "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE event (
        stream TEXT NOT NULL,
        version BIGINT NOT NULL,
        id {uuid} NOT NULL,
        type TEXT NOT NULL,
        payload {bytes} NOT NULL,
        partition_key TEXT NOT NULL,
        partition BIGINT NOT NULL,
        time BIGINT NOT NULL,
        correlation TEXT NOT NULL,
        causation TEXT NOT NULL,
        traceparent TEXT NOT NULL,
        PRIMARY KEY (stream, version))",
    "CREATE TABLE log (
        partition BIGINT NOT NULL,
        position BIGINT NOT NULL,
        stream TEXT NOT NULL,
        version BIGINT NOT NULL,
        PRIMARY KEY (partition, position),
        UNIQUE (stream, version))",
    "CREATE TABLE cursor (
        consumer TEXT NOT NULL,
        source TEXT NOT NULL,
        partition BIGINT NOT NULL,
        position BIGINT NOT NULL,
        incarnation TEXT NOT NULL,
        updated BIGINT NOT NULL,
        PRIMARY KEY (consumer, source, partition))",
    "CREATE TABLE parked (
        consumer TEXT NOT NULL,
        source TEXT NOT NULL,
        stream TEXT NOT NULL,
        position BIGINT NOT NULL,
        partition BIGINT NOT NULL,
        version BIGINT NOT NULL,
        event_id {uuid} NOT NULL,
        type TEXT NOT NULL,
        payload {bytes} NOT NULL,
        time BIGINT NOT NULL,
        partition_key TEXT NOT NULL,
        correlation TEXT NOT NULL,
        causation TEXT NOT NULL,
        traceparent TEXT NOT NULL,
        reason TEXT NOT NULL,
        error TEXT NOT NULL,
        attempts BIGINT NOT NULL,
        parked_at BIGINT NOT NULL,
        PRIMARY KEY (consumer, source, stream, position))",
    "CREATE TABLE lease (
        name TEXT NOT NULL PRIMARY KEY,
        holder TEXT NOT NULL,
        epoch BIGINT NOT NULL,
        expires BIGINT NOT NULL)",
    "CREATE TABLE intent (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        action TEXT NOT NULL,
        payload {bytes} NOT NULL,
        generation BIGINT NOT NULL,
        attempt BIGINT NOT NULL,
        due BIGINT NOT NULL,
        claimed_by TEXT NULL,
        claimed_until BIGINT NULL,
        correlation TEXT NOT NULL,
        causation TEXT NOT NULL,
        traceparent TEXT NOT NULL,
        last_error TEXT NULL,
        PRIMARY KEY (kind, key))",
    "CREATE TABLE timer (
        name TEXT NOT NULL,
        key TEXT NOT NULL,
        due BIGINT NOT NULL,
        payload {bytes} NOT NULL,
        correlation TEXT NOT NULL,
        causation TEXT NOT NULL,
        traceparent TEXT NOT NULL,
        PRIMARY KEY (name, key))",
    "CREATE TABLE request (
        principal TEXT NOT NULL,
        method TEXT NOT NULL,
        request_id TEXT NOT NULL,
        hash {bytes} NOT NULL,
        response {bytes} NOT NULL,
        time BIGINT NOT NULL,
        PRIMARY KEY (principal, method, request_id))",
];

const INDEXES: &[&str] = &[
    "CREATE INDEX event_partition_key ON event (partition_key)",
    "CREATE INDEX intent_due ON intent (kind, due)",
    "CREATE INDEX timer_due ON timer (name, due)",
];

const PAUSE: &str = "CREATE TABLE pause (
    consumer TEXT NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL,
    principal TEXT NOT NULL,
    reason TEXT NOT NULL)";

const STUCK: &str = "CREATE TABLE stuck (
    consumer TEXT NOT NULL,
    source TEXT NOT NULL,
    partition BIGINT NOT NULL,
    position BIGINT NOT NULL,
    reason TEXT NOT NULL,
    error TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (consumer, source, partition))";

/// The database numbers the rows of this one, so that they can be read in the order in which they were written.
const ACT: &str = "CREATE TABLE act (
    number {number} PRIMARY KEY,
    time BIGINT NOT NULL,
    principal TEXT NOT NULL,
    kind TEXT NOT NULL,
    consumer TEXT NOT NULL,
    source TEXT NOT NULL,
    stream TEXT NOT NULL,
    position BIGINT NOT NULL,
    event_id {uuid} NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL)";

const REFERENCE: &str = "CREATE TABLE reference (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (kind, name))";

/// Which of its two slots each projection is read from, and what is built in the other.
const PROJECTION: &str = "CREATE TABLE projection (
    name TEXT NOT NULL PRIMARY KEY,
    slot BIGINT NOT NULL,
    version BIGINT NOT NULL,
    since BIGINT NOT NULL,
    asked BIGINT NULL,
    building BIGINT NULL,
    begun BIGINT NULL,
    failure TEXT NULL)";

/// The failed attempts of an intent: of each generation as many as there are slots.
const ATTEMPT: &str = "CREATE TABLE attempt (
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    generation BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    action TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    time BIGINT NOT NULL,
    correlation TEXT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (key, kind, generation, slot))";

/// A state after the event with that version; `created` and `updated` are when the first event and this one were appended.
const SNAPSHOT: &str = "CREATE TABLE snapshot (
    stream TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    form BIGINT NOT NULL,
    state {bytes} NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL)";

/// Whose key seals what is about them; one that is erased has none any more.
const SUBJECT: &str = "CREATE TABLE subject (
    name TEXT NOT NULL PRIMARY KEY,
    key {bytes} NULL,
    made BIGINT NOT NULL,
    erased BIGINT NULL)";
