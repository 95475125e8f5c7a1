//! This service's own settings; the runtime reads them from its sources.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use tradewind_runtime::outside::{self, Url};
use tradewind_runtime::positive;

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
        /// how often a message is tried before it is given up
        mail_attempts: NonZeroU32 = "20" => positive,
        /// the most messages handed over at one time
        mail_concurrency: NonZeroUsize = "8" => positive,
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
