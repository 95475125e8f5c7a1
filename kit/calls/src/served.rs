//! The call that a task serves: what it leaves to the calls made on its behalf. Carried by a task-local, which a spawned task
//! doesn't inherit.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderMap;
use tokio::time::Instant;

/// How many times the call was sent before, as gRPC's retry design (A6) has clients say it.
pub const ATTEMPTS: &str = "grpc-previous-rpc-attempts";

/// How long whoever is refused shall not call again, in milliseconds; what is no such number asks not to be called again at all.
pub const PUSHBACK: &str = "grpc-retry-pushback-ms";
pub const NEVER: &str = "-1";

tokio::task_local! {
    static SERVED: Served;
}

/// One call, as those made on its behalf see it.
#[derive(Debug, Default)]
pub struct Served {
    deadline: Option<Instant>,
    /// It was sent before: whoever sent it again has taken that on, for all that is below.
    repeated: bool,
    /// A call made on its behalf has failed for good.
    spent: AtomicBool,
}

impl Served {
    pub fn new(deadline: Option<Instant>, headers: &HeaderMap) -> Self {
        Self { deadline, repeated: headers.contains_key(ATTEMPTS), spent: AtomicBool::new(false) }
    }

    /// Serves a call, and tells whether a call made on its behalf has failed although it was repeated as far as it may be: then
    /// repeating this one would only multiply the attempts.
    pub async fn scope<F: Future>(self, work: F) -> (F::Output, bool) {
        let mut scope = pin!(SERVED.scope(self, work));
        let answer = scope.as_mut().await;
        (answer, scope.take_value().is_some_and(|served| served.spent.into_inner()))
    }
}

/// Runs `work` as part of a call that ends at `deadline`.
pub async fn within<F: Future>(deadline: Instant, work: F) -> F::Output {
    SERVED.scope(Served { deadline: Some(deadline), ..Served::default() }, work).await
}

pub fn sync_within<T>(deadline: Option<Instant>, work: impl FnOnce() -> T) -> T {
    match deadline {
        Some(_) => SERVED.sync_scope(Served { deadline, ..Served::default() }, work),
        None => work(),
    }
}

/// The deadline of the call that this task serves, if it serves one.
pub fn deadline() -> Option<Instant> {
    SERVED.try_with(|served| served.deadline).ok().flatten()
}

/// Whether somebody above repeats this call already.
pub fn is_repeated() -> bool {
    SERVED.try_with(|served| served.repeated).unwrap_or(false)
}

/// Tells whoever is above that repeating the call would be of no use.
pub fn spend() {
    // A task that serves nobody has nobody to tell.
    let _ = SERVED.try_with(|served| served.spent.store(true, Ordering::Relaxed));
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[tokio::test]
    async fn what_fails_below_is_known_above() {
        assert_eq!(Served::default().scope(async { 1 }).await, (1, false));
        assert_eq!(Served::default().scope(async { spend() }).await, ((), true));
        spend();
    }

    #[tokio::test]
    async fn a_call_that_was_sent_before_is_repeated_by_nobody_below() {
        let mut headers = HeaderMap::new();
        assert!(!Served::new(None, &headers).scope(async { is_repeated() }).await.0);
        headers.insert(ATTEMPTS, HeaderValue::from_static("1"));
        assert!(Served::new(None, &headers).scope(async { is_repeated() }).await.0);
        assert!(!is_repeated());
    }
}
