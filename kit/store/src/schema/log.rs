//! How an event takes its place in the log.

/// SQLite has one writer at a time, so an event takes its place in the log as it is written.
pub(super) const LOGGED: &str = "CREATE TRIGGER event_logged AFTER INSERT ON event BEGIN
    INSERT INTO log (partition, position, stream, version)
    SELECT NEW.partition, COALESCE(MAX(position), 0) + 1, NEW.stream, NEW.version
    FROM log WHERE partition = NEW.partition;
END";

/// The same, for a version whose predecessor is there.
pub(super) const GUARDED: &str = "CREATE TRIGGER event_logged AFTER INSERT ON event BEGIN
    SELECT RAISE(ABORT, '{missing}') WHERE NEW.version > 1 AND NOT EXISTS (
        SELECT 1 FROM event WHERE stream = NEW.stream AND version = NEW.version - 1);
    INSERT INTO log (partition, position, stream, version)
    SELECT NEW.partition, COALESCE(MAX(position), 0) + 1, NEW.stream, NEW.version
    FROM log WHERE partition = NEW.partition;
END";

/// PostgreSQL commits in another order than it inserts, so the log is written by the sequencer from these rows.
pub(super) const OUTBOX: &str = "CREATE TABLE outbox (
    id BIGSERIAL PRIMARY KEY,
    partition BIGINT NOT NULL,
    stream TEXT NOT NULL,
    version BIGINT NOT NULL)";
