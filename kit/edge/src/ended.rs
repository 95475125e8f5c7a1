//! Sessions that are over: identity says which, every second. An access token that was given to one of them is good no longer, whatever
//! it says itself.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contracts::tradewind::identity::v1::identity_service_client::IdentityServiceClient;
use contracts::tradewind::identity::v1::{ListEndedSessionsRequest, ListEndedSessionsResponse};
use futures::future::BoxFuture;
use tokio::sync::Notify;
use tonic::Status;
use tradewind_calls::jitter;
use tradewind_mesh::Channel;
use tradewind_tokens::Recent;

/// How often it is asked, give or take a half.
const EVERY: Duration = Duration::from_secs(1);
/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(2);
/// How far back it is asked again, in seconds: what ended may be written after what ended later.
const AGAIN: i64 = 10;
/// As many in one answer may not be all.
const FULL: usize = 10_000;
/// Sessions that are kept at least.
const KEPT: usize = 65_536;

/// Says which sessions are over.
pub type TellEnded = Arc<
    dyn Fn(ListEndedSessionsRequest) -> BoxFuture<'static, Result<ListEndedSessionsResponse, Status>> + Send + Sync,
>;

/// Those that are known to be over.
#[derive(Clone)]
pub struct Ended(Arc<Known>);

struct Known {
    sessions: Mutex<Recent<()>>,
    /// Told when there are more.
    more: Notify,
}

impl Known {
    fn new() -> Self {
        Self { sessions: Mutex::new(Recent::new(KEPT)), more: Notify::new() }
    }
}

impl Ended {
    /// Asks `tell`, again and again for as long as this lives. Where there is no answer, tokens are good for as long as they say.
    /// Must be called within a tokio runtime.
    #[must_use]
    pub fn follow(tell: TellEnded) -> Self {
        let known = Arc::new(Known::new());
        let weak = Arc::downgrade(&known);
        tokio::spawn(async move {
            let mut request = ListEndedSessionsRequest::default();
            while weak.strong_count() > 0 {
                let told = tokio::time::timeout(WITHIN, tell(request)).await;
                let told = told.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer")));
                let Some(known) = weak.upgrade() else { return };
                let is_full = match told {
                    Ok(told) => keep(&known, told, &mut request),
                    Err(why) => {
                        tracing::debug!(%why, "which sessions are over cannot be found out");
                        false
                    }
                };
                drop(known);
                if !is_full {
                    tokio::time::sleep(EVERY / 2 + jitter(EVERY)).await;
                }
            }
        });
        Self(known)
    }

    /// Whether this one is.
    #[must_use]
    pub fn has(&self, session: &str) -> bool {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner).get(session).is_some()
    }

    /// Waits until it is.
    pub async fn wait(&self, session: &str) {
        loop {
            let mut more = pin!(self.0.more.notified());
            more.as_mut().enable();
            if self.has(session) {
                return;
            }
            more.await;
        }
    }
}

/// Keeps what was told, and says in `request` what is asked next. Tells whether there is more already.
fn keep(known: &Known, told: ListEndedSessionsResponse, request: &mut ListEndedSessionsRequest) -> bool {
    let is_full = told.session_ids.len() >= FULL;
    let mut sessions = known.sessions.lock().unwrap_or_else(PoisonError::into_inner);
    let is_new = told.session_ids.iter().filter(|id| sessions.get(id).is_none()).count() > 0;
    told.session_ids.iter().for_each(|id| sessions.put(id, ()));
    drop(sessions);
    if is_new {
        known.more.notify_waiters();
    }
    request.since = told.until;
    if let Some(since) = request.since.as_mut().filter(|_| !is_full) {
        since.seconds -= AGAIN;
    }
    is_full
}

/// What identity says, over its channel.
#[must_use]
pub fn of_identity(channel: Channel) -> TellEnded {
    let identity = IdentityServiceClient::new(channel);
    Arc::new(move |request| {
        let mut identity = identity.clone();
        Box::pin(async move { identity.list_ended_sessions(request).await.map(tonic::Response::into_inner) })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_over_is_heard_of_within_seconds_and_asked_for_once() {
        type Said = Result<Vec<&'static str>, Status>;
        let said: Arc<Mutex<Said>> = Arc::new(Mutex::new(Err(Status::unavailable("away"))));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (says, asks) = (said.clone(), asked.clone());
        let tell: TellEnded = Arc::new(move |request| {
            let told = says.lock().unwrap().clone();
            let since = request.since.map(|since| since.seconds);
            asks.lock().unwrap().push(since);
            let mut until = request.since.unwrap_or_default();
            until.seconds = 1_000;
            let answer = |ids: Vec<&str>| ListEndedSessionsResponse {
                session_ids: ids.into_iter().map(str::to_owned).collect(),
                until: Some(until),
            };
            Box::pin(std::future::ready(told.map(answer)))
        });
        let ended = Ended::follow(tell);
        let pause = || tokio::time::sleep(2 * EVERY);
        pause().await;
        assert!(!ended.has("a"), "nobody knows");
        *said.lock().unwrap() = Ok(vec!["a", "b"]);
        pause().await;
        assert_eq!(["a", "b", "c"].map(|session| ended.has(session)), [true, true, false]);
        *said.lock().unwrap() = Ok(vec!["c"]);
        pause().await;
        assert_eq!(["a", "b", "c"].map(|session| ended.has(session)), [true; 3]);
        let since = asked.lock().unwrap().clone();
        assert!(since.contains(&None) && since.ends_with(&[Some(990)]), "{since:?}");
        drop(ended);
        pause().await;
        let before = asked.lock().unwrap().len();
        pause().await;
        assert_eq!(asked.lock().unwrap().len(), before, "nobody wants to know");
    }

    #[test]
    fn what_does_not_fit_into_one_answer_is_asked_for_from_there_on() {
        let known = Known::new();
        let mut request = ListEndedSessionsRequest::default();
        let told = |ids: usize| {
            let session_ids = (0..ids).map(|id| id.to_string()).collect();
            ListEndedSessionsResponse { session_ids, until: ListEndedSessionsResponse::default().until }
        };
        assert!(keep(&known, told(FULL), &mut request));
        assert!(!keep(&known, told(FULL - 1), &mut request));
    }
}
