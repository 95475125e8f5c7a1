//! Keys that partners' programs show in place of a token. Identity says what each is good for, and is asked again after half a minute:
//! one that is revoked is good for no longer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::tradewind::identity::v1::{FindPartnerKeyRequest, FindPartnerKeyResponse};
use futures::future::BoxFuture;
use http::HeaderMap;
use http::uri::PathAndQuery;
use prost::Message;
use rustls::pki_types::UnixTime;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status};
use tower::Service as _;
use tradewind_mesh::{Channel, User};
use tradewind_tokens::Recent;

use crate::refused::refusal_of;
use crate::{metrics, unary};

/// What begins a key, so that it is seen wherever it lies.
pub(super) const BEGINS: &str = "twk_";
/// How long it is believed what was said of a key.
const FRESH: Duration = Duration::from_secs(30);
/// How long it may take to hear it.
const WITHIN: Duration = Duration::from_secs(3);
/// Keys that are kept: good ones, and such as are none.
const GOOD: usize = 1_024;
const BAD: usize = 4_096;
/// Questions at a time, of keys that were good a moment ago and of any other: whoever makes keys up keeps nobody out who has one.
const QUESTIONS: usize = 16;

const FIND: &str = "/tradewind.identity.v1.IdentityService/FindPartnerKey";

/// Finds a key by its SHA-256 in base64url; none where it is good for nothing.
pub type FindKey = Arc<dyn Fn(String) -> BoxFuture<'static, Result<Option<Found>, Status>> + Send + Sync>;

/// What a key is good for.
#[derive(Clone, Debug)]
pub struct Found {
    /// Who is meant by it, and what it is bound to.
    pub user: User,
    /// Until when, in seconds since 1970; until it is revoked where there is nothing.
    pub expires: Option<u64>,
}

/// Keys as identity knows them.
pub(super) struct Partners {
    find: FindKey,
    known: Mutex<Known>,
    of_good: Semaphore,
    of_others: Semaphore,
}

/// By their hashes, what was said of keys, and until when it is believed.
struct Known {
    good: Recent<(Good, Instant)>,
    bad: Recent<Instant>,
}

/// Whose a key is, and until when it is good, in seconds since 1970; until it is revoked where there is nothing.
pub(super) type Good = (Arc<User>, Option<u64>);

/// What is known without a question.
enum Answer {
    Good(Good),
    Bad,
    /// Nothing; and whether it was good when it was last asked for.
    Open(bool),
}

impl Partners {
    /// Asks `find`.
    pub(super) fn new(find: FindKey) -> Self {
        let known = Mutex::new(Known { good: Recent::new(GOOD), bad: Recent::new(BAD) });
        Self { find, known, of_good: Semaphore::new(QUESTIONS), of_others: Semaphore::new(QUESTIONS) }
    }

    /// Who shows this key, and until when it is good.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` with reason `KEY_UNKNOWN`; `UNAVAILABLE` with reason `KEYS_AWAY` where it cannot be found out.
    pub(super) async fn user(&self, key: &str) -> Result<Good, Status> {
        let found = self.find(key).await;
        metrics::key_shown(match &found {
            Ok(_) => "known",
            Err(status) if status.code() == Code::Unauthenticated => "unknown",
            Err(_) => "away",
        });
        found
    }

    async fn find(&self, key: &str) -> Result<Good, Status> {
        if !is_key(key) {
            return Err(unknown());
        }
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(key));
        let questions = match self.known(&digest) {
            Answer::Good(good) => return Ok(good),
            Answer::Bad => return Err(unknown()),
            Answer::Open(true) => &self.of_good,
            Answer::Open(false) => &self.of_others,
        };
        let end = Instant::now() + WITHIN;
        let _question = timeout_at(end, questions.acquire()).await.ok().and_then(Result::ok).ok_or_else(away)?;
        let asked = Instant::now();
        // Somebody else may have asked meanwhile.
        match self.known(&digest) {
            Answer::Good(good) => return Ok(good),
            Answer::Bad => return Err(unknown()),
            Answer::Open(_) if end <= asked => return Err(away()),
            Answer::Open(_) => {}
        }
        let found = timeout_at(end, (self.find)(digest.clone())).await.map_err(|_| away())?;
        let found = found.map_err(|status| {
            tracing::debug!(why = status.message(), "a partner's key cannot be looked up");
            away()
        })?;
        self.keep(&digest, found, asked)
    }

    fn known(&self, digest: &str) -> Answer {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match known.good.get(digest) {
            Some((good, until)) if now < until => return Answer::Good(good),
            Some(_) => return Answer::Open(true),
            None => {}
        }
        if known.bad.get(digest).is_some_and(|until| now < until) { Answer::Bad } else { Answer::Open(false) }
    }

    /// Keeps what was said of a key that was `asked` for.
    fn keep(&self, digest: &str, found: Option<Found>, asked: Instant) -> Result<Good, Status> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Found { user, expires }) = found else {
            known.good.forget(digest);
            known.bad.put(digest, asked + FRESH);
            return Err(unknown());
        };
        let left = expires.map(|expires| Duration::from_secs(expires.saturating_sub(UnixTime::now().as_secs())));
        let good = (Arc::new(user), expires);
        known.good.put(digest, (good.clone(), asked + left.unwrap_or(FRESH).min(FRESH)));
        Ok(good)
    }
}

/// Whether a text is a key by its form: of whatever else, nobody is asked.
fn is_key(text: &str) -> bool {
    let parts = text.strip_prefix(BEGINS).and_then(|rest| rest.split_once('_'));
    parts.is_some_and(|(id, secret)| {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        id.len() == 32 && id.bytes().all(is_hex) && secret.len() == 43 && secret.bytes().all(is_base64)
    })
}

pub(super) fn unknown() -> Status {
    refusal_of(Code::Unauthenticated, "KEY_UNKNOWN", "the key is none, or is good no longer")
}

fn away() -> Status {
    refusal_of(Code::Unavailable, "KEYS_AWAY", "keys cannot be looked up at the moment; call again later")
}

/// Keys as identity knows them, over its channel.
pub(crate) fn of_identity(channel: Channel) -> FindKey {
    Arc::new(move |digest| {
        let mut channel = channel.clone();
        Box::pin(async move {
            let path = PathAndQuery::from_static(FIND);
            let request = unary::request_of(&path, HeaderMap::new(), unary::framed(&FindPartnerKeyRequest { digest })?);
            let message = match unary::only(channel.call(request).await?).await {
                Err(status) if status.code() == Code::NotFound => return Ok(None),
                answered => answered?,
            };
            let unreadable = |_| refusal_of(Code::Internal, "ANSWER_UNREADABLE", "the answer is no key");
            let found = FindPartnerKeyResponse::decode(message).map_err(unreadable)?;
            let expires = found.expire_time.map(|time| u64::try_from(time.seconds).unwrap_or_default());
            let user = User { id: found.customer_id, scopes: Some(found.scopes), ..User::default() };
            Ok(Some(Found { user, expires }))
        })
    })
}

#[cfg(test)]
mod tests;
