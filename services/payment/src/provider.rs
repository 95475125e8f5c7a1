//! The card provider over HTTP and JSON. It turns what comes over the wire into answers and decides nothing.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::app::{CardProvider, Charge, ChargeAnswer, NoAnswer, Refund, RefundAnswer};

/// The longest an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// A card provider behind a base URL.
#[derive(Clone, Debug)]
pub(crate) struct HttpCardProvider {
    client: Client,
    base: Url,
}

impl HttpCardProvider {
    /// The provider at `base`; a call that takes longer than `timeout` has no answer.
    ///
    /// # Errors
    /// When `base` cannot have paths, or no HTTP client can be made.
    pub(crate) fn new(base: Url, timeout: Duration) -> anyhow::Result<Self> {
        anyhow::ensure!(!base.cannot_be_a_base(), "{base} cannot have paths");
        let client = Client::builder()
            .timeout(timeout)
            .pool_idle_timeout(IDLE)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .context("no HTTP client")?;
        Ok(Self { client, base })
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

impl CardProvider for HttpCardProvider {
    async fn charge(&self, charge: &Charge) -> Result<ChargeAnswer, NoAnswer> {
        let body = ChargeBody {
            key: &charge_key(&charge.order_id),
            order_id: &charge.order_id,
            amount_minor: charge.amount.minor(),
            currency: charge.amount.currency().code(),
            token: charge.token.expose(),
        };
        let answer: ChargeView = ask(self.client.post(self.url(&["card", "charges"])).json(&body)).await?;
        Ok(answer.into())
    }

    async fn void(&self, order_id: &str) -> Result<ChargeAnswer, NoAnswer> {
        let url = self.url(&["card", "charges", &charge_key(order_id), "void"]);
        let answer: ChargeView = ask(self.client.post(url).json(&VoidBody { order_id })).await?;
        Ok(answer.into())
    }

    async fn refund(&self, refund: &Refund) -> Result<RefundAnswer, NoAnswer> {
        let body = RefundBody {
            key: &refund_key(&refund.order_id),
            charge_key: &charge_key(&refund.order_id),
            order_id: &refund.order_id,
            amount_minor: refund.amount.minor(),
            currency: refund.amount.currency().code(),
        };
        let RefundView::Refunded { refund_id } =
            ask(self.client.post(self.url(&["card", "refunds"])).json(&body)).await?;
        Ok(RefundAnswer { refund_id })
    }
}

/// The key under which the provider knows the charge of an order, the same on every attempt.
fn charge_key(order_id: &str) -> String {
    format!("charge/{order_id}")
}

/// The key under which the provider knows the refund of an order, the same on every attempt.
fn refund_key(order_id: &str) -> String {
    format!("refund/{order_id}")
}

/// Sends a request and reads the answer to it.
async fn ask<A: DeserializeOwned>(request: RequestBuilder) -> Result<A, NoAnswer> {
    let response = request.send().await.map_err(|error| unanswered(&error))?;
    if response.status().is_success() {
        return response.json().await.map_err(|error| unanswered(&error));
    }
    Err(refused(response).await)
}

/// What is known of a call that came to nothing: not whether the provider has acted on it.
fn unanswered(error: &reqwest::Error) -> NoAnswer {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else if error.is_decode() {
        "an answer that cannot be read"
    } else {
        "the connection ended without an answer"
    };
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    NoAnswer::Unknown(causes.fold(what.to_owned(), |text, cause| format!("{text}: {cause}")))
}

/// An answer other than success: the provider is in no state to decide, or does not take the request as it is.
async fn refused(response: Response) -> NoAnswer {
    let status = response.status();
    let undecided = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    let told = response.json::<RefusalView>().await.ok().map(|view| view.error);
    let (reason, message) = told.map_or_else(
        || (format!("HTTP_{}", status.as_u16()), "without a reason".to_owned()),
        |Refusal { reason, message }| (reason, message),
    );
    if undecided { NoAnswer::Unknown(format!("{status}: {reason}")) } else { NoAnswer::Refused { reason, message } }
}

/// Holds a token: it must never have `Debug`.
#[derive(Serialize)]
struct ChargeBody<'a> {
    key: &'a str,
    order_id: &'a str,
    amount_minor: i64,
    currency: &'a str,
    token: &'a str,
}

#[derive(Serialize)]
struct VoidBody<'a> {
    order_id: &'a str,
}

#[derive(Serialize)]
struct RefundBody<'a> {
    key: &'a str,
    charge_key: &'a str,
    order_id: &'a str,
    amount_minor: i64,
    currency: &'a str,
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum ChargeView {
    Captured { charge_id: String },
    Declined { reason: String },
    Voided,
}

impl From<ChargeView> for ChargeAnswer {
    fn from(view: ChargeView) -> Self {
        match view {
            ChargeView::Captured { charge_id } => Self::Captured { charge_id },
            ChargeView::Declined { reason } => Self::Declined { reason },
            ChargeView::Voided => Self::Voided,
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum RefundView {
    Refunded { refund_id: String },
}

#[derive(Deserialize)]
struct RefusalView {
    error: Refusal,
}

#[derive(Deserialize)]
struct Refusal {
    reason: String,
    #[serde(default)]
    message: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_is_one_segment_of_the_path_whatever_the_base() {
        for (base, before) in [("http://h", "http://h"), ("http://h/", "http://h"), ("http://h/shop/", "http://h/shop")]
        {
            let provider = HttpCardProvider::new(Url::parse(base).unwrap(), Duration::from_secs(1)).unwrap();
            let url = provider.url(&["card", "charges", &charge_key("o-1"), "void"]);
            assert_eq!(url.as_str(), format!("{before}/card/charges/charge%2Fo-1/void"));
        }
    }
}
