//! The carrier over HTTP and JSON. It turns what comes over the wire into answers and decides nothing.

use std::time::Duration;

use anyhow::Context;
use contracts::tradewind::ordering::v1::Recipient;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use serde::{Deserialize, Serialize};

use crate::app::{Booking, Carrier, NoAnswer, Standing};

/// The longest an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);
const LONGEST_REASON: usize = 64;

/// A carrier behind a base URL.
#[derive(Clone, Debug)]
pub struct HttpCarrier {
    client: Client,
    base: Url,
}

impl HttpCarrier {
    /// The carrier at `base`; a call that takes longer than `timeout` has no answer.
    ///
    /// # Errors
    /// When `base` cannot have paths, or no HTTP client can be made.
    pub fn new(base: Url, timeout: Duration) -> anyhow::Result<Self> {
        anyhow::ensure!(!base.cannot_be_a_base(), "{base} cannot have paths");
        // Nothing but the settings says where a call goes: no proxy of the environment, no redirect.
        let client = Client::builder()
            .timeout(timeout)
            .pool_idle_timeout(IDLE)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .context("no HTTP client")?;
        Ok(Self { client, base })
    }

    fn post(&self, segments: &[&str]) -> RequestBuilder {
        self.client.post(self.url(segments))
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

impl Carrier for HttpCarrier {
    async fn book(&self, booking: &Booking) -> Result<Standing, NoAnswer> {
        let Booking { order_id, recipient, items } = booking;
        let parcels = items.iter().map(|item| ParcelBody { sku: &item.sku, quantity: item.quantity }).collect();
        let key = key(order_id);
        let body = BookingBody { key: &key, order_id, name: &recipient.name, address: address(recipient), parcels };
        ask(self.post(&["carrier", "bookings"]).json(&body)).await
    }

    async fn cancel(&self, order_id: &str) -> Result<Standing, NoAnswer> {
        let cancel = self.post(&["carrier", "bookings", &key(order_id), "cancel"]);
        ask(cancel.json(&CancelBody { order_id })).await
    }

    async fn dispatch(&self, order_id: &str) -> Result<Standing, NoAnswer> {
        ask(self.post(&["carrier", "bookings", &key(order_id), "dispatch"])).await
    }

    async fn deliver(&self, order_id: &str) -> Result<Standing, NoAnswer> {
        ask(self.post(&["carrier", "bookings", &key(order_id), "deliver"])).await
    }
}

/// The key under which the carrier knows the booking of an order, the same on every attempt.
fn key(order_id: &str) -> String {
    format!("booking/{order_id}")
}

/// Sends a request and reads the answer to it.
async fn ask(request: RequestBuilder) -> Result<Standing, NoAnswer> {
    let response = request.send().await.map_err(|error| unanswered(&error))?;
    if response.status().is_success() {
        let view: StandingView = response.json().await.map_err(|error| unanswered(&error))?;
        return Ok(view.into());
    }
    Err(refused(response).await)
}

/// What is known of a call that came to nothing: not whether the carrier has acted on it.
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

/// An answer other than success: the carrier is in no state to decide, or does not take the request as it is.
///
/// Of what it says only the reason is taken: its message may repeat whatever was sent, and ends in a log.
async fn refused(response: Response) -> NoAnswer {
    let status = response.status();
    let undecided = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    let told = response.json::<RefusalView>().await.ok().map(|view| view.error.reason);
    let reason = told.filter(|reason| is_reason(reason)).unwrap_or_else(|| format!("HTTP_{}", status.as_u16()));
    if undecided { NoAnswer::Unknown(format!("{status}: {reason}")) } else { NoAnswer::Refused(reason) }
}

fn is_reason(text: &str) -> bool {
    (1..=LONGEST_REASON).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn address(recipient: &Recipient) -> AddressBody<'_> {
    recipient.address.as_ref().map_or(AddressBody::default(), |address| AddressBody {
        line1: &address.line1,
        city: &address.city,
        postal_code: &address.postal_code,
        country: &address.country,
    })
}

/// Holds personal data: it must never have `Debug`.
#[derive(Serialize)]
struct BookingBody<'a> {
    key: &'a str,
    order_id: &'a str,
    name: &'a str,
    address: AddressBody<'a>,
    parcels: Vec<ParcelBody<'a>>,
}

/// Holds personal data: it must never have `Debug`.
#[derive(Default, Serialize)]
struct AddressBody<'a> {
    line1: &'a str,
    city: &'a str,
    postal_code: &'a str,
    country: &'a str,
}

#[derive(Serialize)]
struct ParcelBody<'a> {
    sku: &'a str,
    quantity: i64,
}

#[derive(Serialize)]
struct CancelBody<'a> {
    order_id: &'a str,
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum StandingView {
    Booked { tracking: String },
    Rejected { reason: String },
    Cancelled,
    Dispatched,
    Delivered,
}

impl From<StandingView> for Standing {
    fn from(view: StandingView) -> Self {
        match view {
            StandingView::Booked { tracking } => Self::Booked { tracking },
            StandingView::Rejected { reason } => Self::Rejected { reason },
            StandingView::Cancelled => Self::Cancelled,
            StandingView::Dispatched => Self::Dispatched,
            StandingView::Delivered => Self::Delivered,
        }
    }
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
            let carrier = HttpCarrier::new(Url::parse(base).unwrap(), Duration::from_secs(1)).unwrap();
            let url = carrier.url(&["carrier", "bookings", &key("o-1"), "cancel"]);
            assert_eq!(url.as_str(), format!("{before}/carrier/bookings/booking%2Fo-1/cancel"));
        }
    }

    #[test]
    fn a_reason_is_never_a_sentence() {
        assert!(is_reason("UNDELIVERABLE_ADDRESS"));
        for text in ["", "no street 1 High Street", "lower", &"X".repeat(65)] {
            assert!(!is_reason(text), "{text}");
        }
    }
}
