//! A mail server by SMTP.
//!
//! SMTP has no idempotency keys: a message whose acceptance was not heard of is sent again. Both carry the same
//! Message-ID and Date, by which mail systems recognise a repetition.

use std::time::Duration;

use lettre::message::{Mailbox, Message, header::ContentType};
use lettre::transport::smtp::{self, AsyncSmtpTransportBuilder};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use time::OffsetDateTime;
use tradewind_domain::{Reason, sendable};
use tradewind_work::Unknown;

use super::{Answer, Letter, MailSystem};

/// Reply codes that are about the message or its recipient: it will never be taken. Other permanent errors, such as
/// those of authentication, are about this service, and may be mended while the message waits.
const ABOUT_THE_MESSAGE: std::ops::RangeInclusive<u16> = 550..=556;

/// A mail server.
pub(crate) struct Smtp {
    server: AsyncSmtpTransport<Tokio1Executor>,
    timeout: Duration,
    from: Mailbox,
}

impl Smtp {
    /// Sends through `server` messages from `from`; handing one over takes `timeout` at most.
    pub(crate) fn new(server: AsyncSmtpTransportBuilder, timeout: Duration, from: Mailbox) -> Self {
        Self { server: server.timeout(Some(timeout)).build(), timeout, from }
    }
}

impl MailSystem for Smtp {
    async fn hand_over(&self, letter: &Letter) -> Result<Answer, Unknown> {
        let Some(message) = message(letter, &self.from) else {
            return Ok(Answer::Refused(Reason::told("INVALID_ADDRESS")));
        };
        match tokio::time::timeout(self.timeout, self.server.send(message)).await {
            Ok(Ok(_)) => Ok(Answer::Accepted),
            Ok(Err(error)) => read(&error),
            Err(_) => Err(Unknown("no answer in time".to_owned())),
        }
    }
}

/// The message as it is on the wire, from `from`; none when the address is not one.
pub(crate) fn message(letter: &Letter, from: &Mailbox) -> Option<Message> {
    let to: Address = sendable(&letter.to)?.parse().ok()?;
    // lettre panics at a time before that.
    let date = letter.written.max(OffsetDateTime::UNIX_EPOCH);
    Message::builder()
        .message_id(Some(message_id(&letter.key, from.email.domain())))
        .date(date.into())
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(letter.subject.as_str())
        .header(ContentType::TEXT_PLAIN)
        .body(letter.body.clone())
        .ok()
}

/// What an error means. Of a server's reply only the code is taken: its text may name the recipient.
fn read(error: &smtp::Error) -> Result<Answer, Unknown> {
    match error.status().map(u16::from) {
        Some(code) if ABOUT_THE_MESSAGE.contains(&code) => Ok(Answer::Refused(Reason::told(&format!("SMTP_{code}")))),
        Some(code) => Err(Unknown(format!("the mail server answers {code}"))),
        // What cannot be said to this server at all, e.g. an address beyond ASCII.
        None if error.is_client() => Ok(Answer::Refused(Reason::told("NOT_EXPRESSIBLE"))),
        None if error.is_response() => Err(Unknown("an answer that cannot be read".to_owned())),
        None => {
            let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
            Err(Unknown(causes.fold("no answer".to_owned(), |text, cause| format!("{text}: {cause}"))))
        }
    }
}

/// The same for every attempt: the key's segments in reverse, which are letters, digits and hyphens, at our own domain.
fn message_id(key: &str, domain: &str) -> String {
    let local = key.rsplit('/').collect::<Vec<_>>().join(".");
    format!("<{local}@{domain}>")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn letter(to: &str) -> Letter {
        Letter {
            key: "mail/0190163d-8694-739b-aea5-966c26f8ad91/shipped".to_owned(),
            to: to.to_owned(),
            subject: "Your order is on its way".to_owned(),
            body: "Hello,\n\nit is.\n".to_owned(),
            written: OffsetDateTime::UNIX_EPOCH,
        }
    }

    fn formatted(to: &str) -> Option<String> {
        let from = "Tradewind <orders@tradewind.local>".parse().unwrap();
        message(&letter(to), &from).map(|message| String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn a_repeated_message_is_the_same_to_the_byte() {
        let once = formatted("customer@example.com").unwrap();
        assert_eq!(formatted("customer@example.com").unwrap(), once);
        assert!(
            once.contains("Message-ID: <shipped.0190163d-8694-739b-aea5-966c26f8ad91.mail@tradewind.local>\r\n"),
            "{once}"
        );
        assert!(once.contains("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"), "{once}");
    }

    #[test]
    fn what_the_door_lets_in_can_be_sent() {
        let long = format!("{}@{}.example", "a".repeat(64), ["x".repeat(60), "y".repeat(60), "z".repeat(50)].join("."));
        for to in [
            "a@example.com",
            "first.last+tag@sub.example.co.uk",
            "o'neil@example.com",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "info@bücher.example",
            "a@例え.jp",
            "root@localhost",
            &long,
        ] {
            assert!(sendable(to).is_some(), "{to}");
            let sent = formatted(to).unwrap_or_default();
            assert!(!sent.is_empty() && sent.is_ascii(), "{to}: {sent}");
        }
    }

    #[test]
    fn an_address_cannot_bring_headers_along() {
        for to in ["a@example.com\r\nBcc: b@example.com", "a@example.com, b@example.com", "<a@example.com>", "nobody"] {
            assert!(formatted(to).is_none(), "{to}");
        }
    }
}
