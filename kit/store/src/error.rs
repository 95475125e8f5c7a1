//! What an error of the kit's own writes means.

use sea_orm::{DbErr, RuntimeErr};
use tradewind_domain::{Error, ErrorKind};
use tradewind_sql::{SERIALIZATION, db, duplicate, is_short};

use crate::StreamName;

/// The reason when somebody else appended to the stream first.
pub const VERSION_CONFLICT: &str = "VERSION_CONFLICT";

/// The reason when what a transaction relied upon was not so any more at its commit: it is run again, or was done by somebody else.
pub const OVERTAKEN: &str = "OVERTAKEN";

/// What SQLite's trigger says of an event whose predecessor is not there.
pub(crate) const VERSION_MISSING: &str = "the version before is missing";

/// What an error at commit means. Of a stream or a request somebody else was faster; any other row that is there already says that
/// what was decided is wrong, and would be again.
pub(crate) fn commit(error: DbErr) -> Error {
    let conflict = |reason, text| Error::new(ErrorKind::Conflict, reason, text);
    match duplicate(&error).as_deref() {
        Some("request") => conflict(SERIALIZATION, "the same request is being handled already"),
        Some("subject") => conflict(SERIALIZATION, "somebody else has made the key of a subject"),
        Some("event") => conflict(VERSION_CONFLICT, "the stream has moved on"),
        None if is_short(&error) => conflict(OVERTAKEN, "somebody else was faster"),
        None if is_gap(&error) => conflict(VERSION_CONFLICT, "the stream ends before that"),
        _ => db(error),
    }
}

/// Somebody else appended to `stream` first.
pub(crate) fn version_conflict(stream: &StreamName, expected: u64) -> Error {
    Error::new(ErrorKind::Conflict, VERSION_CONFLICT, format!("{stream} is not at version {expected}"))
}

/// Tells whether an event was refused because the version before it is not there.
fn is_gap(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
        return false;
    };
    let Some(error) = error.as_database_error() else { return false };
    match error.code().as_deref() {
        // A column that is not null, in the table that is written with every event.
        Some("23502") => error.table() == Some("outbox"),
        // SQLITE_CONSTRAINT_TRIGGER, of which there may be others.
        Some("1811") => error.message() == VERSION_MISSING,
        _ => false,
    }
}
