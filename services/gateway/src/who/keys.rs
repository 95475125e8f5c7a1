//! The keys of issuers: fetched when they are needed and now and then, and kept where they cannot be.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contracts::tradewind::identity::v1::{GetKeysResponse, Key};
use http::HeaderMap;
use http::header::ACCEPT;
use http::uri::PathAndQuery;
use prost::Message;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tonic::{Code, Status};
use tower::Service as _;
use tradewind_calls::jitter;
use tradewind_mesh::Channel;
use tradewind_tokens::{Jwks, Verifier};

use super::issuers::{Fetch, Trusted};
use crate::refused::refusal_of;
use crate::unary;
use crate::watched;

/// How often keys are fetched where nothing is amiss, and how soon again where they could not be.
const EVERY: Duration = Duration::from_secs(300);
const SOON: Duration = Duration::from_secs(2);
/// How often they are fetched at most, whoever asks for a key that is not known; and where there are none at all.
const AGAIN: Duration = Duration::from_secs(10);
const AGAIN_WITHOUT: Duration = Duration::from_millis(200);
/// How long fetching them may take.
const WITHIN: Duration = Duration::from_secs(3);

/// The most bytes of keys that are read.
const LARGEST: usize = 256 << 10;

const GET_KEYS: &str = "/tradewind.identity.v1.IdentityService/GetKeys";

/// The keys of all issuers.
pub(super) struct Keys(Vec<Arc<Source>>);

/// Those of one.
struct Source {
    issuer: String,
    fetch: Fetch,
    verifier: Arc<Verifier>,
    /// What is to be done when they are others than before.
    forget: Box<dyn Fn() + Send + Sync>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    tried: Option<Instant>,
    /// As they came; nothing where they never have.
    keys: Option<Vec<u8>>,
}

impl Keys {
    /// Fetches them all, again and again for as long as this lives, for `verifier`; calls `forget` when any are others than before.
    pub(super) fn follow(
        issuers: &[Trusted],
        verifier: Arc<Verifier>,
        forget: impl Fn() + Clone + Send + Sync + 'static,
    ) -> Self {
        let source = |trusted: &Trusted| {
            let (issuer, fetch) = (trusted.issuer.name.clone(), trusted.keys.clone());
            let (verifier, forget) = (verifier.clone(), Box::new(forget.clone()));
            watched::keys(&issuer, false);
            Arc::new(Source { issuer, fetch, verifier, forget, seen: Mutex::default() })
        };
        let sources: Vec<_> = issuers.iter().map(source).collect();
        for source in &sources {
            let source = Arc::downgrade(source);
            tokio::spawn(async move {
                while let Some(source) = source.upgrade() {
                    let fetched = source.fetch(&mut *source.seen.lock().await).await;
                    drop(source);
                    tokio::time::sleep(if fetched { EVERY } else { SOON / 2 + jitter(SOON) }).await;
                }
            });
        }
        Self(sources)
    }

    /// Fetches those of an issuer anew, unless that was just done: whoever shows tokens of keys that never were asks for nothing more.
    ///
    /// # Errors
    /// `UNAVAILABLE` where there never were any: whether a token is good cannot be said.
    pub(super) async fn fetch(&self, issuer: &str) -> Result<(), Status> {
        let Some(source) = self.0.iter().find(|source| source.issuer == issuer) else { return Ok(()) };
        let mut seen = source.seen.lock().await;
        let again = if seen.keys.is_some() { AGAIN } else { AGAIN_WITHOUT };
        if seen.tried.is_none_or(|tried| tried.elapsed() >= again) {
            source.fetch(&mut seen).await;
        }
        if seen.keys.is_some() {
            return Ok(());
        }
        let text = "tokens cannot be verified at the moment; call again later";
        Err(refusal_of(Code::Unavailable, "KEYS_AWAY", text))
    }
}

impl Source {
    /// Tells whether there are keys now that hold.
    async fn fetch(&self, seen: &mut Seen) -> bool {
        seen.tried = Some(Instant::now());
        let fetched = tokio::time::timeout(WITHIN, (self.fetch)()).await;
        let fetched = fetched.unwrap_or_else(|_| Err(format!("no answer within {WITHIN:?}")));
        let read = fetched.and_then(|text| match Jwks::parse(&text) {
            Ok(keys) => Ok((text, keys)),
            Err(error) => Err(error.to_string()),
        });
        match read {
            Ok((text, _)) if seen.keys.as_ref() == Some(&text) => {
                watched::keys(&self.issuer, true);
                true
            }
            Ok((text, keys)) => {
                watched::keys(&self.issuer, true);
                self.verifier.keys(&self.issuer, keys);
                (self.forget)();
                tracing::info!(issuer = self.issuer, "keys of an issuer are new");
                seen.keys = Some(text);
                true
            }
            Err(why) => {
                let keeps = seen.keys.is_some();
                tracing::debug!(issuer = self.issuer, why, keeps, "keys of an issuer cannot be fetched");
                false
            }
        }
    }
}

/// The keys of identity, over its channel.
pub(crate) fn of_identity(channel: Channel) -> Fetch {
    Arc::new(move || {
        let mut channel = channel.clone();
        Box::pin(async move {
            let request =
                unary::request_of(&PathAndQuery::from_static(GET_KEYS), HeaderMap::new(), Bytes::from_static(&[0; 5]));
            let answer = channel.call(request).await.map_err(|status| status.to_string())?;
            let message = unary::only(answer).await.map_err(|status| status.to_string())?;
            let GetKeysResponse { keys } = GetKeysResponse::decode(message).map_err(|error| error.to_string())?;
            Ok(json!({ "keys": keys.into_iter().map(jwk).collect::<Vec<_>>() }).to_string().into_bytes())
        })
    })
}

/// What fetches keys from elsewhere. It goes where the settings say and nowhere else: whoever answers there sends nobody on.
///
/// # Errors
/// Where there is no client to be had.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    tradewind_runtime::direct().redirect(reqwest::redirect::Policy::none()).build()
}

/// The keys that lie at a URL.
pub(crate) fn of_url(client: reqwest::Client, url: String) -> Fetch {
    Arc::new(move || {
        let asked = client.get(&url).header(ACCEPT, "application/json");
        Box::pin(async move {
            let told = |error: reqwest::Error| error.without_url().to_string();
            let mut answer = asked.send().await.and_then(reqwest::Response::error_for_status).map_err(told)?;
            let mut text = Vec::new();
            while let Some(part) = answer.chunk().await.map_err(told)? {
                text.extend_from_slice(&part);
                if text.len() > LARGEST {
                    return Err("it is too large".to_owned());
                }
            }
            Ok(text)
        })
    })
}

fn jwk(key: Key) -> Map<String, Value> {
    let Key { kid, kty, crv, x, y, alg, r#use } = key;
    let all = [("kid", kid), ("kty", kty), ("crv", crv), ("x", x), ("y", y), ("alg", alg), ("use", r#use)];
    all.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name.to_owned(), text.into())).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    type Published = Arc<Mutex<Result<Vec<u8>, String>>>;

    fn set(kid: &str) -> Vec<u8> {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x }] }).to_string().into_bytes()
    }

    fn follow(published: &Published) -> (Keys, Arc<AtomicUsize>, Arc<AtomicUsize>) {
        let (asked, forgot) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (published, counts, forgets) = (published.clone(), asked.clone(), forgot.clone());
        let fetch: Fetch = Arc::new(move || {
            counts.fetch_add(1, Ordering::Relaxed);
            Box::pin(std::future::ready(published.lock().unwrap().clone()))
        });
        let trusted = Trusted::own("own", fetch);
        let verifier = Arc::new(Verifier::new([trusted.issuer.clone()]));
        let forget = move || _ = forgets.fetch_add(1, Ordering::Relaxed);
        (Keys::follow(&[trusted], verifier, forget), asked, forgot)
    }

    #[tokio::test]
    async fn whoever_sends_the_gateway_on_to_another_address_is_not_followed() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let [here, there] = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let (url, other) = (here.local_addr().unwrap(), there.local_addr().unwrap());
        here.set_nonblocking(true).unwrap();
        there.set_nonblocking(true).unwrap();
        let here = tokio::net::TcpListener::from_std(here).unwrap();
        tokio::spawn(async move {
            let (mut asked, _) = here.accept().await.unwrap();
            assert!(asked.read(&mut [0; 1_024]).await.unwrap() > 0);
            let answer = format!("HTTP/1.1 302 Found\r\nlocation: http://{other}/\r\ncontent-length: 0\r\n\r\n");
            asked.write_all(answer.as_bytes()).await.unwrap();
        });
        let fetched = of_url(client().unwrap(), format!("http://{url}/keys"))().await;
        assert!(fetched.is_ok_and(|text| Jwks::parse(&text).is_err()), "there are no keys");
        assert!(there.accept().is_err(), "nobody has come");
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_are_asked_for_are_fetched_seldom_and_kept_where_they_cannot_be() {
        let published: Published = Arc::new(Mutex::new(Ok(set("a"))));
        let (keys, asked, forgot) = follow(&published);
        for _ in 0..100 {
            keys.fetch("own").await.unwrap();
        }
        assert_eq!((asked.load(Ordering::Relaxed), forgot.load(Ordering::Relaxed)), (1, 1));
        tokio::time::sleep(AGAIN).await;
        for odd in [Err("away".to_owned()), Ok(b"{}".to_vec())] {
            *published.lock().unwrap() = odd;
            tokio::time::sleep(AGAIN).await;
            keys.fetch("own").await.unwrap();
        }
        assert_eq!(forgot.load(Ordering::Relaxed), 1, "those that were there stay");
        *published.lock().unwrap() = Ok(set("b"));
        tokio::time::sleep(AGAIN).await;
        keys.fetch("own").await.unwrap();
        assert_eq!(forgot.load(Ordering::Relaxed), 2, "what was verified by others is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_never_were_there_are_tried_for_until_they_are() {
        let published: Published = Arc::new(Mutex::new(Err("away".to_owned())));
        let (keys, asked, _) = follow(&published);
        assert_eq!(keys.fetch("own").await.unwrap_err().code(), Code::Unavailable);
        tokio::time::sleep(SOON * 3).await;
        assert!(asked.load(Ordering::Relaxed) > 2);
        *published.lock().unwrap() = Ok(set("a"));
        tokio::time::sleep(AGAIN_WITHOUT).await;
        keys.fetch("own").await.unwrap();
    }
}
