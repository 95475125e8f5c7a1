//! Calls to parties outside over HTTP and JSON: made within a time, told apart by what is known of them, and counted.
//!
//! What a party is asked for, and what its answers mean, belongs to the service that calls it. Neither what is sent nor
//! what is answered is ever shown or logged, but for the reason of a refusal; and no answer is kept beyond its bounds.

mod answer;
mod calls;
mod mismatches;
mod settings;

use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::{Context, KeyValue};
use reqwest::{RequestBuilder, Response, StatusCode, redirect};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tradewind_domain::Reason;
use tradewind_telemetry::{Kind, Part, current, names};

#[cfg(any(test, feature = "fuzzed"))]
pub(crate) use answer::answers_of_others;
pub use calls::Calls;
pub use mismatches::Mismatches;
pub use reqwest::{Certificate, Url};
pub use settings::{URL, authority, base_url, timeout};

/// The longest an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// Why a call settles nothing. Neither kind says whether the party has acted on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The party was not reached, or did not answer, or was in no state to decide. Asking again helps.
    #[error("{0}")]
    Unknown(String),
    /// The party answered what cannot be read: a defect on either side. Asking again may help; otherwise it needs a person.
    #[error("{0}")]
    Unreadable(&'static str),
    /// The party will not take the request as it is, for this reason of its own, or `HTTP_` and the status where it gives
    /// none: a defect on either side. Needs a person.
    #[error("refused with {0}")]
    Refused(Reason),
}

/// A party behind a base URL.
#[derive(Clone, Debug)]
pub struct Party {
    client: reqwest::Client,
    base: Url,
}

impl Party {
    /// The party at `base`; a call that takes longer than `timeout` has no answer.
    ///
    /// # Errors
    /// When `base` cannot have paths, or no HTTP client can be made.
    pub fn new(base: Url, timeout: Duration) -> anyhow::Result<Self> {
        anyhow::ensure!(!base.cannot_be_a_base(), "{base} cannot have paths");
        // Nothing but the settings says where a call goes: no proxy of the environment, no redirect.
        let client = crate::direct()
            .timeout(timeout)
            .pool_idle_timeout(IDLE)
            .redirect(redirect::Policy::none())
            .build()
            .context("no HTTP client")?;
        Ok(Self { client, base })
    }

    /// Posts to the path of these segments, with a body if there is one, and reads the answer.
    ///
    /// # Errors
    /// `Unreadable` where the answer is not what was expected, or too long.
    pub async fn post<A: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<A, NoAnswer> {
        answer::read(self.taken(segments, body).await?).await
    }

    /// Posts to the path of these segments where it only matters that it is taken, whatever the answer says besides.
    ///
    /// # Errors
    /// As of [`post`](Self::post), an unreadable answer excepted.
    pub async fn hand_over(&self, segments: &[&str], body: &(impl Serialize + Sync)) -> Result<(), NoAnswer> {
        self.taken(segments, Some(body)).await.map(drop)
    }

    /// Gets the path of these segments with this query, and reads the answer.
    ///
    /// # Errors
    /// As of [`post`](Self::post).
    pub async fn get<A: DeserializeOwned>(&self, segments: &[&str], query: &[(&str, &str)]) -> Result<A, NoAnswer> {
        let mut url = self.url(segments);
        url.query_pairs_mut().extend_pairs(query);
        answer::read(self.answered(self.client.get(url), "GET").await?).await
    }

    async fn taken(&self, segments: &[&str], body: Option<&(impl Serialize + Sync)>) -> Result<Response, NoAnswer> {
        let mut request = self.client.post(self.url(segments));
        if let Some(body) = body {
            request = request.json(body);
        }
        self.answered(request, "POST").await
    }

    /// The answer to a request that the party has taken. It is told of the trace that it belongs to.
    async fn answered(&self, request: RequestBuilder, method: &'static str) -> Result<Response, NoAnswer> {
        let facts = || {
            let mut facts = vec![
                KeyValue::new(names::HTTP_REQUEST_METHOD, method),
                KeyValue::new(names::URL_SCHEME, self.base.scheme().to_owned()),
                KeyValue::new(names::SERVER_ADDRESS, self.base.host_str().unwrap_or_default().to_owned()),
            ];
            facts.extend(
                self.base.port_or_known_default().map(|port| KeyValue::new(names::SERVER_PORT, i64::from(port))),
            );
            facts
        };
        let part = Part::begin(Kind::Client, &current(), &Context::current(), || method.into(), facts);
        let request = request.header("traceparent", part.traceparent(""));
        let response = part.around(request.send()).await;
        let response = response.inspect_err(|_| part.fails("no_answer")).map_err(|error| unanswered(&error))?;
        let status = response.status();
        part.says(|| KeyValue::new(names::HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16())));
        if status.is_success() {
            return Ok(response);
        }
        part.fails("http");
        Err(refused(response).await)
    }

    /// The URL of a path below the base. Each segment is percent-encoded, so that a key's slash stays within its segment.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// What is known of a call that came to nothing.
fn unanswered(error: &reqwest::Error) -> NoAnswer {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "the connection ended without an answer"
    };
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    NoAnswer::Unknown(causes.fold(what.to_owned(), |text, cause| format!("{text}: {cause}")))
}

/// An answer other than success: the party is in no state to decide, or does not take the request as it is.
///
/// Of what it says only the reason is taken: its message may repeat whatever was sent.
async fn refused(response: Response) -> NoAnswer {
    let status = response.status();
    let undecided = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    let told = answer::read::<RefusalView>(response).await.ok().and_then(|view| Reason::read(&view.error.reason));
    let reason = told.unwrap_or_else(|| Reason::told(&format!("HTTP_{}", status.as_u16())));
    if undecided { NoAnswer::Unknown(format!("{status}: {reason}")) } else { NoAnswer::Refused(reason) }
}

#[derive(Deserialize)]
struct RefusalView {
    error: Refusal,
}

#[derive(Deserialize)]
struct Refusal {
    reason: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_is_one_segment_of_the_path_whatever_the_base() {
        for (base, before) in [("http://h", "http://h"), ("http://h/", "http://h"), ("http://h/shop/", "http://h/shop")]
        {
            let party = Party::new(Url::parse(base).unwrap(), Duration::from_secs(1)).unwrap();
            let url = party.url(&["card", "charges", "charge/o-1", "void"]);
            assert_eq!(url.as_str(), format!("{before}/card/charges/charge%2Fo-1/void"));
        }
    }
}
