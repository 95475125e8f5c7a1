//! The way out for messages: a system that takes them, and two that do.

mod sink;
mod smtp;

use time::OffsetDateTime;
use tradewind_domain::Reason;
use tradewind_work::Unknown;

pub(crate) use smtp::Smtp;

/// A system that takes messages and sees to it that they arrive.
pub(crate) trait MailSystem: Send + Sync + 'static {
    /// Hands a message over. It may be handed over again, under the same key, when it is unknown what became of it.
    fn hand_over(&self, letter: &Letter) -> impl Future<Output = Result<Answer, Unknown>> + Send;
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
