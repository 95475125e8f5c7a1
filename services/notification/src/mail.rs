//! The way out for messages: a system that takes them, and two that do.

mod sink;
mod smtp;

use time::OffsetDateTime;
use tradewind_domain::Reason;
use tradewind_sql::from_micros;
use tradewind_work::Unknown;

pub(crate) use smtp::Smtp;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) use smtp::message;

/// A system that takes messages and sees to it that they arrive.
pub(crate) trait MailSystem: Send + Sync + 'static {
    /// Hands a message over. It may be handed over again, under the same key, when it is unknown what became of it.
    fn hand_over(&self, letter: &Letter) -> impl Future<Output = Result<Answer, Unknown>> + Send;
}

/// What is written down of a message, which is all that is needed to send it; the payload of the intent to do so. It holds
/// personal data: it must never have `Debug`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct Written {
    /// The address.
    #[prost(string, tag = "1")]
    pub(crate) recipient: String,
    /// One line.
    #[prost(string, tag = "2")]
    pub(crate) subject: String,
    /// The text.
    #[prost(string, tag = "3")]
    pub(crate) body: String,
    /// When, in microseconds since the Unix epoch.
    #[prost(int64, tag = "4")]
    pub(crate) written: i64,
}

/// A message to one person. It holds personal data: it must never have `Debug`.
pub(crate) struct Letter {
    /// Names it, the same on every attempt: `mail/<order>/<kind>`.
    pub(crate) key: String,
    /// The address.
    pub(crate) to: String,
    /// One line.
    pub(crate) subject: String,
    /// The text.
    pub(crate) body: String,
    /// When it was written.
    pub(crate) written: OffsetDateTime,
}

impl Letter {
    /// The message that is sent under `key`.
    pub(crate) fn new(key: String, written: Written) -> Self {
        let Written { recipient: to, subject, body, written } = written;
        Self { key, to, subject, body, written: from_micros(written) }
    }

    /// Tells whether nothing in its head could begin another header.
    pub(crate) fn has_safe_head(&self) -> bool {
        [&self.key, &self.to, &self.subject].iter().all(|text| !text.chars().any(char::is_control))
    }
}

/// What a mail system says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It has the message.
    Accepted,
    /// It will never take it, for this reason, which holds no personal data.
    Refused(Reason),
}
