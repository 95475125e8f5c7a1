//! Database errors as the errors every layer speaks: what may be tried again, what is away, what is a defect.

use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::sqlx::Error as SqlxError;
use sea_orm::{DbErr, RuntimeErr};
use tradewind_domain::{Error, ErrorKind};

use crate::script::NOT_AS_MANY;

/// The reason when the database asks for the transaction to be run again: deadlock, serialization failure, busy.
pub const SERIALIZATION: &str = "SERIALIZATION";
/// The reason when more reads wait for their turn than would be served soon.
pub(crate) const TOO_MANY_READS: &str = "TOO_MANY_READS";
/// The reason of an error of the database that is none of those known, or of a statement that took too long: it may pass, or never.
pub const UNKNOWN: &str = "DATABASE_ERROR_UNKNOWN";

/// The reason when the database is damaged: no repetition helps, and nothing more is written to it.
pub const DATABASE_CORRUPT: &str = "DATABASE_CORRUPT";

/// What a database error means; for a service's own statements: `.map_err(tradewind_sql::db)?`.
///
/// A violated uniqueness is `AlreadyExists`, a deadlock or busy database `Conflict` with reason [`SERIALIZATION`], what is wrong
/// with the statement or its values `Internal`, and what is known to keep the database from answering `Unavailable`. What nobody
/// knows is `Internal` with reason [`UNKNOWN`].
#[must_use]
pub fn db(error: DbErr) -> Error {
    match meaning(&error) {
        Meaning::Rerun => Error::new(ErrorKind::Conflict, SERIALIZATION, error.to_string()),
        Meaning::Away => Error::unavailable("DATABASE_UNAVAILABLE", error.to_string()),
        Meaning::Busy => Error::new(ErrorKind::Exhausted, TOO_MANY_READS, "too many ask at once; ask again later"),
        Meaning::Duplicate(_) => Error::new(ErrorKind::AlreadyExists, "DUPLICATE", error.to_string()),
        Meaning::Defect => Error::internal(error),
        Meaning::Corrupt => {
            DAMAGES.fetch_add(1, Ordering::Relaxed);
            Error::new(ErrorKind::Internal, DATABASE_CORRUPT, error.to_string())
        }
        Meaning::Unknown => Error::new(ErrorKind::Internal, UNKNOWN, error.to_string()),
    }
}

/// The beginning of an error's text, for where it is kept: drivers and neighbours may say a lot.
pub fn brief(text: &str) -> &str {
    text.get(..text.floor_char_boundary(BRIEF)).unwrap_or_default()
}

/// How often damage has shown in this process, whoever's statement it was.
static DAMAGES: AtomicU64 = AtomicU64::new(0);

/// Changes when damage has shown, of whichever database.
pub fn damages() -> u64 {
    DAMAGES.load(Ordering::Relaxed)
}

/// Bytes of an error's text that are kept.
const BRIEF: usize = 2_000;

/// Tells whether the database could not be reached, or could not answer.
pub(crate) fn is_away(error: &DbErr) -> bool {
    matches!(meaning(error), Meaning::Away)
}

/// The table in which a row of that key was there already, where that is the error.
#[must_use]
pub fn duplicate(error: &DbErr) -> Option<String> {
    match meaning(error) {
        Meaning::Duplicate(table) => Some(table),
        _ => None,
    }
}

/// Tells whether a [`Script`](crate::Script) failed because a statement did not change as many rows as it had to.
#[must_use]
pub fn is_short(error: &DbErr) -> bool {
    match error {
        DbErr::Custom(text) => text == NOT_AS_MANY,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "22012")
        }
        _ => false,
    }
}

enum Meaning {
    Rerun,
    Away,
    Busy,
    /// With the table.
    Duplicate(String),
    Defect,
    /// What is stored is damaged.
    Corrupt,
    /// Tried again, but not for ever.
    Unknown,
}

fn meaning(error: &DbErr) -> Meaning {
    match error {
        DbErr::Custom(text) if text == TOO_MANY_READS => Meaning::Busy,
        // A damaged file shows when it is opened, too.
        DbErr::Conn(RuntimeErr::SqlxError(error)) if matches!(driver(error), Meaning::Corrupt) => Meaning::Corrupt,
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Meaning::Away,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => driver(error),
        _ => Meaning::Defect,
    }
}

fn driver(error: &SqlxError) -> Meaning {
    match error {
        SqlxError::Database(error) => {
            if error.is_unique_violation() {
                return Meaning::Duplicate(error.table().unwrap_or_else(|| failed(error.message())).to_owned());
            }
            error.code().map_or(Meaning::Unknown, |code| coded(&code))
        }
        // A statement with too many parameters is one of these, and so is a server that talks nonsense.
        SqlxError::Protocol(_) => Meaning::Unknown,
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::BeginFailed
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => Meaning::Away,
        _ => Meaning::Defect,
    }
}

/// The table of `UNIQUE constraint failed: event.stream, event.version`, which is all that SQLite says.
fn failed(message: &str) -> &str {
    let columns = message.rsplit(": ").next().unwrap_or_default();
    columns.split_once('.').map_or(columns, |(table, _)| table)
}

/// A five-character SQLSTATE of PostgreSQL, or a result code of SQLite, whose low byte is what its extensions have in common.
///
/// A code that speaks of the statement or its values is a defect, for which an event is parked; one that is known to speak of the
/// database's state, such as a full disk, passes. Of any other nobody can tell.
fn coded(code: &str) -> Meaning {
    if code.len() == 5 {
        return match code.get(..2) {
            // Transaction rollback: serialization failure, deadlock.
            Some("40") => Meaning::Rerun,
            // Lock not available.
            _ if code == "55P03" => Meaning::Rerun,
            // Feature not supported, cardinality, data, integrity, syntax or access rule, program limit.
            Some("0A" | "21" | "22" | "23" | "42" | "54") => Meaning::Defect,
            // The statement's time is over: nothing keeps the database from answering others.
            _ if code == "57014" => Meaning::Unknown,
            // Connection, credentials, no such database, resources, operator intervention, system.
            Some("08" | "28" | "3D" | "53" | "57" | "58") => Meaning::Away,
            // Data or index corrupted.
            _ if matches!(code, "XX001" | "XX002") => Meaning::Corrupt,
            // Read-only, as a replica is; a transaction that said nothing for too long.
            _ if matches!(code, "25006" | "25P03") => Meaning::Away,
            _ => Meaning::Unknown,
        };
    }
    match code.parse::<u32>().map(|code| code & 0xff) {
        // SQLITE_BUSY, SQLITE_LOCKED.
        Ok(5 | 6) => Meaning::Rerun,
        // SQLITE_ERROR, SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_MISUSE, SQLITE_RANGE.
        Ok(1 | 18 | 19 | 20 | 21 | 25) => Meaning::Defect,
        // SQLITE_CORRUPT, SQLITE_NOTADB.
        Ok(11 | 26) => Meaning::Corrupt,
        // SQLITE_PERM, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL (of locks).
        Ok(3 | 7..=10 | 13..=15) => Meaning::Away,
        _ => Meaning::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_what_to_do() {
        for code in ["40001", "40P01", "55P03", "5", "517", "6"] {
            assert!(matches!(coded(code), Meaning::Rerun), "{code}");
        }
        let postgres = ["08006", "25006", "25P03", "53100", "53200", "53300", "57P01", "57P05", "58030", "28P01"];
        let sqlite = ["7", "8", "1032", "9", "10", "778", "13", "14", "15"];
        for code in postgres.into_iter().chain(sqlite) {
            assert!(matches!(coded(code), Meaning::Away), "{code}");
        }
        for code in ["11", "267", "26", "XX001", "XX002"] {
            assert!(matches!(coded(code), Meaning::Corrupt), "{code}");
        }
        for code in ["", "XX000", "26000", "57014", "55000", "P0001", "25001", "HV000", "2", "4", "17", "nonsense"] {
            assert!(matches!(coded(code), Meaning::Unknown), "{code}");
        }
        for code in ["0A000", "21000", "22001", "23503", "42P01", "54000", "1", "18", "19", "787", "20", "21", "25"] {
            assert!(matches!(coded(code), Meaning::Defect), "{code}");
        }
    }

    #[test]
    fn sqlite_names_the_table_of_a_key_that_is_there() {
        assert_eq!(failed("UNIQUE constraint failed: event.stream, event.version"), "event");
        assert_eq!(failed("UNIQUE constraint failed: payment_request.id"), "payment_request");
    }

    #[test]
    fn what_nobody_knows_is_not_away() {
        let driver = |error| db(DbErr::Query(RuntimeErr::SqlxError(std::sync::Arc::new(error))));
        let too_many = SqlxError::Protocol("too many arguments for query".into());
        let encode = SqlxError::Encode("out of range".into());
        assert_eq!((driver(too_many).kind, driver(encode).reason), (ErrorKind::Internal, "INTERNAL"));
        assert_eq!(driver(SqlxError::Protocol(String::new())).reason, UNKNOWN);
        assert_eq!(driver(SqlxError::PoolTimedOut).kind, ErrorKind::Unavailable);
    }

    #[test]
    fn the_beginning_of_a_text_ends_between_characters() {
        assert_eq!((brief("short"), brief(&"é".repeat(1_500)).len()), ("short", 2_000));
        assert_eq!(brief(&format!("x{}", "é".repeat(1_500))).len(), 1_999);
    }
}
