//! Running a transaction again when the database, or somebody who was faster, asks for it.

use std::time::Duration;

use tradewind_domain::{Error, ErrorKind};
use tradewind_sql::{SERIALIZATION, jitter};

use super::Store;
use crate::error::VERSION_CONFLICT;

const ATTEMPTS: u32 = 20;

impl Store {
    /// Runs `attempt`, a whole transaction, and runs it again at once when it ends in a version conflict, a deadlock, a
    /// serialization failure or a busy database; up to 20 times.
    ///
    /// # Errors
    /// Whatever the last attempt ends in.
    pub async fn retry<T, F, R>(&self, attempt: F) -> Result<T, Error>
    where
        F: Fn() -> R,
        R: Future<Output = Result<T, Error>>,
    {
        let mut failures = 0;
        loop {
            match attempt().await {
                Err(error) if failures < ATTEMPTS - 1 && may_rerun(&error) => {
                    failures += 1;
                    tracing::debug!(%error, failures, "running the transaction again");
                    if failures > 1 {
                        tokio::time::sleep(jitter(Duration::from_millis(1 << failures.min(6)))).await;
                    }
                }
                outcome => return outcome,
            }
        }
    }
}

/// Tells whether the transaction that ended so may be run again at once.
fn may_rerun(error: &Error) -> bool {
    error.kind == ErrorKind::Conflict && (error.reason == VERSION_CONFLICT || error.reason == SERIALIZATION)
}
