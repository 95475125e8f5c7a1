//! The kit's own tables, the same on SQLite and PostgreSQL.
//!
//! Every number is BIGINT, times are microseconds since the Unix epoch (UTC) in BIGINT, ids are UUID on PostgreSQL and
//! 16-byte BLOB on SQLite. No service's table belongs here, and no statement that reads or writes these.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::error::VERSION_MISSING;

/// Creates the tables of the event store, its readers, intents, timers and idempotent requests.
pub(crate) struct CreateEventStore;

impl MigrationName for CreateEventStore {
    fn name(&self) -> &str {
        "kit_0001_create_event_store"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateEventStore {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let backend = connection.get_database_backend();
        for table in TABLES {
            connection.execute_unprepared(&render(table, backend)).await?;
        }
        for index in INDEXES {
            connection.execute_unprepared(index).await?;
        }
        connection.execute_unprepared(if backend == DbBackend::Postgres { OUTBOX } else { LOGGED }).await?;
        Ok(())
    }
}

/// Creates the table of paused consumers, and the index by which old requests are found.
struct CreatePause;

impl MigrationName for CreatePause {
    fn name(&self) -> &str {
        "kit_0002_create_pause"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreatePause {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared(&render(PAUSE, connection.get_database_backend())).await?;
        connection.execute_unprepared("CREATE INDEX request_time ON request (time)").await.map(drop)
    }
}

/// Creates the table of what operators did.
struct CreateAct;

impl MigrationName for CreateAct {
    fn name(&self) -> &str {
        "kit_0003_create_act"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateAct {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let (number, uuid) = match connection.get_database_backend() {
            DbBackend::Postgres => ("BIGSERIAL", "UUID"),
            _ => ("INTEGER", "BLOB"),
        };
        let table = ACT.replace("{number}", number).replace("{uuid}", uuid);
        connection.execute_unprepared(&table).await.map(drop)
    }
}

/// Adds what tells a build that does not know an event's type whether it may pass over it.
struct AddInformative;

impl MigrationName for AddInformative {
    fn name(&self) -> &str {
        "kit_0004_add_informative"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddInformative {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = "ALTER TABLE event ADD COLUMN informative BIGINT NOT NULL DEFAULT 0";
        manager.get_connection().execute_unprepared(column).await.map(drop)
    }
}

/// Adds which event a cursor has reached, as `<position> <id>`: where a log was set back, its positions alone do not tell. The
/// position is in it because a build before, and operators, move a cursor without it.
struct AddReached;

impl MigrationName for AddReached {
    fn name(&self) -> &str {
        "kit_0006_add_reached"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddReached {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = "ALTER TABLE cursor ADD COLUMN reached TEXT NULL";
        manager.get_connection().execute_unprepared(column).await.map(drop)
    }
}

/// Creates the table of readers that cannot get past a position.
struct CreateStuck;

impl MigrationName for CreateStuck {
    fn name(&self) -> &str {
        "kit_0007_create_stuck"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateStuck {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared(&render(STUCK, connection.get_database_backend())).await.map(drop)
    }
}

/// Adds what a stored request asked, which is less than what it said.
struct AddAsked;

impl MigrationName for AddAsked {
    fn name(&self) -> &str {
        "kit_0007_add_asked"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddAsked {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let bytes = if connection.get_database_backend() == DbBackend::Postgres { "BYTEA" } else { "BLOB" };
        connection.execute_unprepared(&format!("ALTER TABLE request ADD COLUMN asked {bytes} NULL")).await.map(drop)
    }
}

/// Creates the table of what parties outside call things.
struct CreateReference;

impl MigrationName for CreateReference {
    fn name(&self) -> &str {
        "kit_0008_create_reference"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateReference {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared(&render(REFERENCE, connection.get_database_backend())).await.map(drop)
    }
}

/// Lets no version into the log without the one before; on PostgreSQL the statement that appends sees to it.
struct GuardVersions;

impl MigrationName for GuardVersions {
    fn name(&self) -> &str {
        "kit_0009_guard_versions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for GuardVersions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        if connection.get_database_backend() == DbBackend::Postgres {
            return Ok(());
        }
        connection.execute_unprepared("DROP TRIGGER event_logged").await?;
        connection.execute_unprepared(&GUARDED.replace("{missing}", VERSION_MISSING)).await.map(drop)
    }
}

/// The migrations of the kit, oldest first; they run before the service's own.
pub(crate) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(CreateEventStore),
        Box::new(CreatePause),
        Box::new(CreateAct),
        Box::new(AddInformative),
        Box::new(AddReached),
        Box::new(CreateStuck),
        Box::new(AddAsked),
        Box::new(CreateReference),
        Box::new(GuardVersions),
    ]
}

/// Puts the backend's names in place of `{bytes}` and `{uuid}`; on SQLite a table is clustered by its key, so that a row is
/// written to one b-tree and not to two.
fn render(table: &str, backend: DbBackend) -> String {
    let (bytes, uuid, clustered) = match backend {
        DbBackend::Postgres => ("BYTEA", "UUID", ""),
        _ => ("BLOB", "BLOB", " WITHOUT ROWID"),
    };
    format!("{}{clustered}", table.replace("{bytes}", bytes).replace("{uuid}", uuid))
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

/// SQLite has one writer at a time, so an event takes its place in the log as it is written.
const LOGGED: &str = "CREATE TRIGGER event_logged AFTER INSERT ON event BEGIN
    INSERT INTO log (partition, position, stream, version)
    SELECT NEW.partition, COALESCE(MAX(position), 0) + 1, NEW.stream, NEW.version
    FROM log WHERE partition = NEW.partition;
END";

/// The same, for a version whose predecessor is there.
const GUARDED: &str = "CREATE TRIGGER event_logged AFTER INSERT ON event BEGIN
    SELECT RAISE(ABORT, '{missing}') WHERE NEW.version > 1 AND NOT EXISTS (
        SELECT 1 FROM event WHERE stream = NEW.stream AND version = NEW.version - 1);
    INSERT INTO log (partition, position, stream, version)
    SELECT NEW.partition, COALESCE(MAX(position), 0) + 1, NEW.stream, NEW.version
    FROM log WHERE partition = NEW.partition;
END";

/// PostgreSQL commits in another order than it inserts, so the log is written by the sequencer from these rows.
const OUTBOX: &str = "CREATE TABLE outbox (
    id BIGSERIAL PRIMARY KEY,
    partition BIGINT NOT NULL,
    stream TEXT NOT NULL,
    version BIGINT NOT NULL)";
