//! One request to an endpoint, and what its answer means. Of an answer no more is taken than its status: whatever else it says is
//! read no further than the connection can be used again, and kept nowhere.

use std::time::Duration;

use anyhow::Context;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Certificate, Client, Response, StatusCode, redirect};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::endpoints::Endpoint;
use super::guard::{Barred, Guard};
use super::queue::Due;
use super::secret;

/// The longest that a receiver is waited for because it says so.
pub(crate) const LONGEST_REST: Duration = Duration::from_secs(3_600);
/// Bytes that are read of an answer.
const MOST_READ: usize = 4 * 1024;
/// The longest an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);
const AGENT: &str = concat!("tradewind-webhooks/", env!("CARGO_PKG_VERSION"));

/// What a request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was taken.
    Taken(u16),
    /// Nobody is to be told there any more.
    Gone,
    /// It was not taken: the status, where there was an answer, and why. Not before that time is another to be made to this endpoint.
    Not { status: u16, why: String, rest: Option<Duration> },
}

/// Makes requests.
pub(crate) struct Post {
    guard: Guard,
    by_tls: Client,
    plain: Client,
}

impl Post {
    /// Makes requests to whatever `guard` lets through, whose certificates are of a public authority, or of `authority`.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(crate) fn new(guard: Guard, timeout: Duration, authority: Option<&Certificate>) -> anyhow::Result<Self> {
        let client = |is_plain| {
            // Nothing but the endpoint's URL says where a request goes: no proxy of the environment, no redirect.
            let client = tradewind_runtime::direct()
                .redirect(redirect::Policy::none())
                .dns_resolver(guard.resolver(is_plain))
                .https_only(!is_plain)
                .referer(false)
                .timeout(timeout)
                .pool_idle_timeout(IDLE)
                .user_agent(AGENT);
            let client = authority.cloned().into_iter().fold(client, reqwest::ClientBuilder::add_root_certificate);
            client.build().context("no HTTP client")
        };
        Ok(Self { by_tls: client(false)?, plain: client(true)?, guard })
    }

    /// Tells an endpoint of an event, whose body is gone with that: it may be large.
    pub(crate) async fn tell(&self, endpoint: &Endpoint, due: &mut Due, now: OffsetDateTime) -> Verdict {
        if let Err(barred) = self.guard.check_literal(&endpoint.url) {
            return not(0, name_of(barred));
        }
        let timestamp = now.unix_timestamp().to_string();
        let signature = secret::sign(endpoint.secrets(now), &due.event_id, &timestamp, &due.body);
        let client = if endpoint.url.scheme() == "http" { &self.plain } else { &self.by_tls };
        let request = client
            .post(endpoint.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &due.event_id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(std::mem::take(&mut due.body));
        match request.send().await {
            Ok(answer) => {
                let verdict = read(&answer, now);
                drain(answer).await;
                verdict
            }
            Err(error) => not(0, reason(&error)),
        }
    }
}

/// What an answer means.
fn read(answer: &Response, now: OffsetDateTime) -> Verdict {
    let status = answer.status();
    let code = status.as_u16();
    match status {
        StatusCode::GONE => Verdict::Gone,
        _ if status.is_success() => Verdict::Taken(code),
        _ if status.is_redirection() => not(code, "REDIRECTED"),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let said = answer.headers().get(RETRY_AFTER).and_then(|said| said.to_str().ok());
            Verdict::Not { status: code, why: format!("HTTP_{code}"), rest: said.and_then(|said| rest(said, now)) }
        }
        _ => not(code, &format!("HTTP_{code}")),
    }
}

/// How long an answer asks to be left alone: in seconds, or until a date.
pub(crate) fn rest(said: &str, now: OffsetDateTime) -> Option<Duration> {
    let until = || OffsetDateTime::parse(said, &Rfc2822).ok().map(|until| until - now);
    let asked = said.parse().ok().map(Duration::from_secs).or_else(|| Some(until()?.try_into().unwrap_or_default()));
    asked.map(|asked| asked.min(LONGEST_REST))
}

fn not(status: u16, why: &str) -> Verdict {
    Verdict::Not { status, why: why.to_owned(), rest: None }
}

/// Reads a little of an answer, for its connection to be used again; one that says more loses it.
async fn drain(mut answer: Response) {
    let mut left = MOST_READ;
    while let Ok(Some(chunk)) = answer.chunk().await {
        match left.checked_sub(chunk.len()) {
            Some(less) => left = less,
            None => break,
        }
    }
}

/// Why there was no answer. What the error itself says may name the endpoint.
fn reason(error: &reqwest::Error) -> &'static str {
    let causes = || std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    if let Some(barred) = causes().find_map(|cause| cause.downcast_ref::<Barred>()) {
        name_of(*barred)
    } else if error.is_timeout() {
        "TIMEOUT"
    } else if causes().filter_map(|cause| cause.downcast_ref()).any(is_tls) {
        "TLS_FAILED"
    } else if error.is_connect() {
        "NOT_REACHED"
    } else {
        "NO_ANSWER"
    }
}

/// Whether it is about what the other side has said of itself: such errors stand within others.
fn is_tls(error: &std::io::Error) -> bool {
    let within = || error.get_ref().and_then(|within| within.downcast_ref());
    error.kind() == std::io::ErrorKind::InvalidData || within().is_some_and(is_tls)
}

/// What is said of what is barred.
pub(crate) const fn name_of(barred: Barred) -> &'static str {
    match barred {
        Barred::Unknown => "ADDRESS_UNKNOWN",
        Barred::Unanswered => "NAME_NOT_ANSWERED",
        Barred::NotAllowed => "ADDRESS_NOT_ALLOWED",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn how_long_to_wait_is_said_in_seconds_or_by_a_date() {
        let now = OffsetDateTime::from_unix_timestamp(784_111_700).unwrap();
        assert_eq!(rest("120", now), Some(Duration::from_secs(120)));
        assert_eq!(rest("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(77)));
        assert_eq!(rest("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(rest("18446744073709551615", now), Some(LONGEST_REST));
        for odd in ["", "-1", "soon", "1.5"] {
            assert_eq!(rest(odd, now), None, "{odd}");
        }
    }
}
