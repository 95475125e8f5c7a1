//! This service's own settings; the runtime reads them from its sources.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use serde::{Deserialize, Deserializer, de::Error};
use tradewind_runtime::outside::{self, Url};

/// How messages leave. It may hold a password: it must never have `Debug`.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// Base URL of the mail sink.
    #[serde(deserialize_with = "outside::base_url")]
    pub(crate) outside_url: Url,
    /// How long one call to it may take, at most 10 s.
    #[serde(deserialize_with = "outside::timeout::<10, _>")]
    pub(crate) outside_timeout: Duration,
    /// The mail server, where messages are to be sent by SMTP.
    #[serde(deserialize_with = "smtp_server")]
    pub(crate) smtp_url: Option<AsyncSmtpTransportBuilder>,
    /// How long handing over one message to it may take, at most 10 s.
    #[serde(deserialize_with = "outside::timeout::<10, _>")]
    pub(crate) smtp_timeout: Duration,
    /// Whom messages sent by SMTP are from.
    #[serde(deserialize_with = "mailbox")]
    pub(crate) mail_from: Mailbox,
    /// How often a message is tried.
    pub(crate) mail_attempts: NonZeroU32,
    /// The most messages handed over at one time.
    pub(crate) mail_concurrency: NonZeroUsize,
}

pub(crate) const MAIL_FROM: &str = "Tradewind <orders@tradewind.local>";

#[expect(clippy::expect_used, reason = "the defaults are constants, which a test reads")]
impl Default for Config {
    fn default() -> Self {
        Self {
            outside_url: outside::default_url(),
            outside_timeout: outside::TIMEOUT,
            smtp_url: None,
            smtp_timeout: Duration::from_secs(5),
            mail_from: MAIL_FROM.parse().expect("a mailbox"),
            mail_attempts: NonZeroU32::new(20).expect("not zero"),
            mail_concurrency: NonZeroUsize::new(8).expect("not zero"),
        }
    }
}

/// An error never repeats the URL, which may hold a password.
fn smtp_server<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AsyncSmtpTransportBuilder>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    match AsyncSmtpTransport::<Tokio1Executor>::from_url(&text) {
        Ok(server) => Ok(Some(server)),
        Err(_) => Err(D::Error::custom("is not an smtp:// or smtps:// URL")),
    }
}

fn mailbox<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Mailbox, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom(format!("{text} is not a mailbox like {MAIL_FROM}")))
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn the_defaults_are_those_the_help_shows() {
        let config = Config::default();
        assert_eq!((config.outside_timeout.as_secs(), config.smtp_timeout.as_secs()), (2, 5));
        assert_eq!((config.mail_attempts.get(), config.mail_concurrency.get()), (20, 8));
        assert!(config.smtp_url.is_none());
        assert_eq!(config.mail_from.to_string(), super::MAIL_FROM);
    }
}
