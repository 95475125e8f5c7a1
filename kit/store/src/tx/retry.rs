//! Running a transaction again when the database, or somebody who was faster, asks for it.

use std::time::Duration;

use prost::Message;
use tradewind_domain::{Error, ErrorKind, request::RequestKey};
use tradewind_sql::{SERIALIZATION, jitter};

use super::Tx;
use crate::error::VERSION_CONFLICT;
use crate::{Committed, Store};

const ATTEMPTS: u32 = 20;

impl Store {
    /// Runs `command` once for each `request`, in a transaction that is run again as [`retry`](Self::retry) says, and returns its
    /// answer with the [token](Self::token) of what it wrote. A repeated request gets the answer that the first one had, whatever
    /// has changed since; a refusal is not kept.
    ///
    /// # Errors
    /// `Invalid` with reason `REQUEST_ID_REUSED` when the id was used for another request; else what the command ends in, or the
    /// commit: after `Unavailable` it may or may not have been committed.
    #[allow(clippy::manual_async_fn, reason = "the bound says here, and not at every call, that it can be sent")]
    pub fn once<R, C>(
        &self,
        request: Option<&RequestKey>,
        command: C,
    ) -> impl Future<Output = Result<(R, String), Error>> + Send
    where
        R: Message + Default,
        C: for<'a> Work<'a, R>,
    {
        async move {
            let recalling = async |tx: &mut Tx| {
                let Some(request) = request else { return command.start(tx).await };
                tx.is_asked_by(request);
                if let Some(answer) = tx.recall(request).await? {
                    return Ok(answer);
                }
                let answer = command.start(tx).await?;
                tx.remember(request, &answer);
                Ok(answer)
            };
            let (answer, committed) = self.transact(recalling).await?;
            Ok((answer, self.token(&committed).await?))
        }
    }

    /// Runs `work` in a transaction and commits it; both are run again as [`retry`](Self::retry) says.
    ///
    /// # Errors
    /// What the work ends in, or the [commit](Tx::commit).
    #[allow(clippy::manual_async_fn, reason = "the bound says here, and not at every call, that it can be sent")]
    pub fn transact<T, W>(&self, work: W) -> impl Future<Output = Result<(T, Committed), Error>> + Send
    where
        T: Send,
        W: for<'a> Work<'a, T>,
    {
        async move {
            self.retry(|| async {
                let mut tx = self.begin().await?;
                let done = work.start(&mut tx).await?;
                Ok((done, tx.commit().await?))
            })
            .await
        }
    }

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

/// What is done in a transaction: an `async |tx: &mut Tx| …`. A bound on `AsyncFn` could not say that its future can be sent.
pub trait Work<'a, T>: Send + Sync {
    type Future: Future<Output = Result<T, Error>> + Send;

    fn start(&self, tx: &'a mut Tx) -> Self::Future;
}

impl<'a, T, W, F> Work<'a, T> for W
where
    W: Fn(&'a mut Tx) -> F + Send + Sync,
    F: Future<Output = Result<T, Error>> + Send,
{
    type Future = F;

    fn start(&self, tx: &'a mut Tx) -> F {
        self(tx)
    }
}

/// Tells whether the transaction that ended so may be run again at once.
fn may_rerun(error: &Error) -> bool {
    error.kind == ErrorKind::Conflict && (error.reason == VERSION_CONFLICT || error.reason == SERIALIZATION)
}
