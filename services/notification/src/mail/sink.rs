//! The mail sink over HTTP and JSON: takes every message and shows it, sends none.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde::{Deserialize, Serialize};
use tradewind_events::Unknown;

use super::{Answer, Letter, MailSystem};

/// The longest an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// A mail sink behind a base URL.
pub(crate) struct Sink {
    client: Client,
    messages: Url,
}

impl Sink {
    /// The sink at `base`; a call that takes longer than `timeout` has no answer.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(crate) fn new(base: Url, timeout: Duration) -> anyhow::Result<Self> {
        let mut messages = base;
        if let Ok(mut path) = messages.path_segments_mut() {
            path.pop_if_empty().extend(["mail", "messages"]);
        }
        // Nothing but the settings says where a message goes: no proxy of the environment, no redirect.
        let client = Client::builder()
            .timeout(timeout)
            .pool_idle_timeout(IDLE)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .context("no HTTP client")?;
        Ok(Self { client, messages })
    }
}

impl MailSystem for Sink {
    async fn hand_over(&self, letter: &Letter) -> Result<Answer, Unknown> {
        let Letter { key, to, subject, body, .. } = letter;
        let message = MessageBody { key, to, subject, body };
        let sent = self.client.post(self.messages.clone()).json(&message).send().await;
        read(sent.map_err(|error| unanswered(&error))?).await
    }
}

async fn read(response: Response) -> Result<Answer, Unknown> {
    let status = response.status();
    if status.is_success() {
        return Ok(Answer::Accepted);
    }
    let undecided = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    if undecided {
        return Err(Unknown(status.to_string()));
    }
    // Its message may repeat what was sent, so that only the reason is taken.
    let told = response.json::<RefusalView>().await.ok().map(|view| view.error.reason);
    let reason = told.filter(|reason| is_reason(reason)).unwrap_or_else(|| format!("HTTP_{}", status.as_u16()));
    Ok(Answer::Refused(reason))
}

fn is_reason(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

fn unanswered(error: &reqwest::Error) -> Unknown {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "the connection ended without an answer"
    };
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    Unknown(causes.fold(what.to_owned(), |text, cause| format!("{text}: {cause}")))
}

/// Holds personal data: it must never have `Debug`.
#[derive(Serialize)]
struct MessageBody<'a> {
    key: &'a str,
    to: &'a str,
    subject: &'a str,
    body: &'a str,
}

#[derive(Deserialize)]
struct RefusalView {
    error: Refusal,
}

#[derive(Deserialize)]
struct Refusal {
    reason: String,
}
