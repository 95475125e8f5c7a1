//! This service's own settings; the runtime reads them from its sources.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use tradewind_runtime::outside::{self, Certificate, Url};
use tradewind_runtime::positive;

use crate::links::Links;
use crate::webhooks::Networks;

tradewind_runtime::settings! {
    /// How messages leave. It may hold a password: it must never have `Debug`.
    pub(crate) struct Config {
        /// base URL of the mail sink
        outside_url: Url = outside::URL => outside::base_url,
        /// how long one call to it may take, at most 10s
        outside_timeout: Duration = "2s" => outside::timeout::<10>,
        /// smtp://… or smtps://… of a mail server to send through instead of the sink
        smtp_url: Option<AsyncSmtpTransportBuilder> = "" => smtp_server,
        /// how long handing over one message to it may take, at most 10s
        smtp_timeout: Duration = "5s" => outside::timeout::<10>,
        /// whom messages sent by SMTP are from
        mail_from: Mailbox = MAIL_FROM => mailbox,
        /// the page that shows an order's document to whoever signs in, as https://shop.example/documents/{number}: messages link to it
        document_url: Links = "" => Links::at,
        /// how often a message is tried before it is given up
        mail_attempts: NonZeroU32 = "20" => positive,
        /// the most messages handed over at one time
        mail_concurrency: NonZeroUsize = "8" => positive,
        /// whether webhooks are sent
        webhooks: bool = "true" => yes_or_no,
        /// networks that webhooks may go to although they are not public, and without TLS, as in 127.0.0.0/8, ::1/128
        webhook_networks: Networks = "" => Networks::read,
        /// a certificate of an authority, as PEM, by which receivers of webhooks may be known besides the public ones
        webhook_ca: Option<Certificate> = "" => outside::authority,
        /// how long a receiver of webhooks may take to answer, at most 30s
        webhook_timeout: Duration = "10s" => outside::timeout::<30>,
        /// the longest wait before a webhook is sent for the second time; it doubles with each, up to 6h
        webhook_wait: Duration = "15s" => outside::timeout::<3_600>,
        /// how often a webhook is sent before it is given up
        webhook_attempts: NonZeroU32 = "16" => positive,
        /// how long a receiver may take no webhook before it is sent none any more
        webhook_failing: Duration = "5d" => tradewind_runtime::duration,
        /// how long webhooks wait at most, and are kept to be sent again once they are settled; a day at least
        webhook_retention: Duration = "7d" => retention,
    }
}

const MAIL_FROM: &str = "Tradewind <orders@tradewind.local>";

/// An error never repeats the URL, which may hold a password.
fn smtp_server(text: &str) -> Result<Option<AsyncSmtpTransportBuilder>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match AsyncSmtpTransport::<Tokio1Executor>::from_url(text) {
        Ok(server) => Ok(Some(server)),
        Err(_) => Err("is not an smtp:// or smtps:// URL".to_owned()),
    }
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| format!("{text} is not a mailbox like {MAIL_FROM}"))
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| format!("{text} is neither true nor false"))
}

fn retention(text: &str) -> Result<Duration, String> {
    const DAY: Duration = Duration::from_secs(86_400);
    let retention = tradewind_runtime::duration(text)?;
    if retention < DAY {
        Err("is less than a day, for which a webhook may be sent again".to_owned())
    } else {
        Ok(retention)
    }
}
