//! SQLite's errors, as those of a driver that sea-orm knows.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use rusqlite::Error;
use rusqlite::ffi::{ErrorCode, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
use sea_orm::RuntimeErr;
use sea_orm::sqlx::Error as SqlxError;
use sea_orm::sqlx::error::{DatabaseError, ErrorKind};

/// What SQLite says.
#[derive(Debug)]
struct Said {
    /// Its extended result code.
    code: i32,
    message: String,
}

/// The error as a driver's.
pub(super) fn driver(error: Error) -> RuntimeErr {
    let said = |error: rusqlite::ffi::Error, message| Said { code: error.extended_code, message };
    let error = match error {
        Error::SqliteFailure(error, message) => said(error, message.unwrap_or_else(|| error.to_string())),
        Error::SqlInputError { error, msg, .. } => said(error, msg),
        other => return RuntimeErr::SqlxError(Arc::new(SqlxError::Encode(Box::new(other)))),
    };
    RuntimeErr::SqlxError(Arc::new(SqlxError::Database(Box::new(error))))
}

/// Whether another connection's lock was in the way, so that nothing was done.
pub(super) fn is_locked(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(code: {}) {}", self.code, self.message)
    }
}

impl StdError for Said {}

impl DatabaseError for Said {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.code.to_string().into())
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        match self.code {
            SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE => ErrorKind::UniqueViolation,
            _ => ErrorKind::Other,
        }
    }
}
