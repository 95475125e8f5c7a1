//! The shop as somebody outside sees it: REST with JSON at the gateway, with a token and without a certificate.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response, Url};
use serde_json::Value;

/// Longer than any call but a stream is given.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest event of a stream.
const LONGEST_EVENT: usize = 4 * 1024 * 1024;

/// A way to the gateway, for whoever is signed in, or for nobody.
#[derive(Clone)]
pub(crate) struct Front {
    url: Url,
    http: reqwest::Client,
    token: Option<String>,
}

/// What was answered instead of what was asked for.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) http: u16,
    /// What went wrong, in a word of the contract's; empty where something else than the gateway answers.
    pub(crate) reason: String,
    /// Seconds after which to come again.
    pub(crate) retry_after: Option<u64>,
    /// For people.
    pub(crate) message: String,
    /// All of it.
    pub(crate) body: Value,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http, reason, message, retry_after, .. } = self;
        write!(f, "{http} {reason}: {message}")?;
        retry_after.map_or(Ok(()), |seconds| write!(f, " (in {seconds} s)"))
    }
}

impl std::error::Error for Refusal {}

impl Front {
    /// The gateway at `url`. Nothing is connected yet.
    ///
    /// # Errors
    /// When that is no URL, or one by which passwords and tokens would travel for everybody to read.
    pub(crate) fn at(url: &str) -> Result<Self> {
        let url = Url::parse(url).with_context(|| format!("{url:?} is no URL such as https://shop.example.org"))?;
        ensure!(
            url.scheme() == "https" || (url.scheme() == "http" && is_of_this_machine(&url)),
            "{url}: passwords and tokens go to https:// alone, or to this machine"
        );
        // Nobody is told a password because somebody else said so.
        let http = tradewind_runtime::direct().redirect(Policy::none()).build()?;
        Ok(Self { url, http, token: None })
    }

    /// The same with any URL: nothing is said there that must not be heard.
    ///
    /// # Errors
    /// When that is no URL.
    pub(crate) fn to_look_at(url: &str) -> Result<Self> {
        let url = Url::parse(url).with_context(|| format!("{url:?} is no URL such as https://shop.example.org"))?;
        Ok(Self { url, http: tradewind_runtime::direct().build()?, token: None })
    }

    /// The same for whoever has this access token.
    #[must_use]
    pub(crate) fn bearing(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// What is there.
    ///
    /// # Errors
    /// A [`Refusal`], or that nobody answers.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        read(self.sent(self.request(Method::GET, path).timeout(PATIENCE)).await?).await
    }

    /// What comes of it.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        read(self.sent(self.request(Method::POST, path).timeout(PATIENCE).json(body)).await?).await
    }

    /// The same with an `Idempotency-Key`, which makes a repetition harmless.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub(crate) async fn post_once(&self, path: &str, key: &str, body: &Value) -> Result<Value> {
        let request = self.request(Method::POST, path).timeout(PATIENCE).header("idempotency-key", key);
        read(self.sent(request.json(body)).await?).await
    }

    /// A stream of events (`text/event-stream`), each given to `heard`, until it ends in order.
    ///
    /// # Errors
    /// As of [`get`](Self::get), or with what ended the stream too early.
    pub(crate) async fn follow(&self, path: &str, mut heard: impl FnMut(&Value)) -> Result<()> {
        let request = self.request(Method::GET, path).header(ACCEPT, "text/event-stream");
        let mut answer = refused(self.sent(request).await?).await?;
        let mut kept = Vec::new();
        while let Some(chunk) = answer.chunk().await.context("the stream broke off")? {
            kept.extend_from_slice(&chunk);
            while let Some(end) = kept.windows(2).position(|two| two == b"\n\n") {
                let event = String::from_utf8(kept.drain(..end + 2).collect()).context("an event is no text")?;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let data = field("data:").map_or(Ok(Value::Null), serde_json::from_str);
                let data = data.context("an event is no JSON")?;
                match field("event:") {
                    Some("end") => return Ok(()),
                    Some("error") => bail!("the stream ended with {data}"),
                    _ => heard(&data),
                }
            }
            ensure!(kept.len() <= LONGEST_EVENT, "an event is longer than {LONGEST_EVENT} bytes");
        }
        bail!("the stream broke off")
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        let request = self.http.request(method, url);
        self.token.iter().fold(request, |request, token| request.bearer_auth(token))
    }

    async fn sent(&self, request: RequestBuilder) -> Result<Response> {
        request.send().await.map_err(|error| {
            let nobody =
                error.is_connect().then(|| format!("nobody answers at {}; does the shop run there?", self.url));
            let error = anyhow::Error::from(error.without_url());
            error.context(nobody.unwrap_or_else(|| format!("cannot ask {}", self.url)))
        })
    }
}

fn is_of_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

async fn read(answer: Response) -> Result<Value> {
    refused(answer).await?.json().await.context("the answer is no JSON: something else than the gateway answers there")
}

/// The answer, unless it is a refusal.
async fn refused(answer: Response) -> Result<Response> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let http = answer.status().as_u16();
    let retry_after = answer.headers().get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let is_json =
        answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let body: Value = if is_json { answer.json().await.unwrap_or_default() } else { Value::Null };
    let error = &body["error"];
    let details = error["details"].as_array().into_iter().flatten();
    let reason = details.filter_map(|detail| detail["reason"].as_str()).next().unwrap_or_default().to_owned();
    let message = error["message"].as_str().unwrap_or("something else than the gateway answers there").to_owned();
    Err(Refusal { http, reason, retry_after, message, body }.into())
}
