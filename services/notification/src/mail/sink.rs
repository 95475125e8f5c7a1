//! The mail sink over HTTP and JSON: takes every message and shows it, sends none.

use serde::Serialize;
use tradewind_runtime::outside::{NoAnswer, Party};
use tradewind_work::Unknown;

use super::{Answer, Letter, MailSystem};

impl MailSystem for Party {
    async fn hand_over(&self, letter: &Letter) -> Result<Answer, Unknown> {
        let Letter { key, to, subject, body, .. } = letter;
        match Self::hand_over(self, &["mail", "messages"], &MessageBody { key, to, subject, body }).await {
            Ok(()) => Ok(Answer::Accepted),
            Err(NoAnswer::Refused(reason)) => Ok(Answer::Refused(reason)),
            Err(NoAnswer::Unreadable(cause)) => Err(Unknown(cause.to_owned())),
            Err(NoAnswer::Unknown(cause)) => Err(Unknown(cause)),
        }
    }
}

/// Holds personal data: it must never have `Debug`.
#[derive(Serialize)]
struct MessageBody<'a> {
    key: &'a str,
    to: &'a str,
    subject: &'a str,
    body: &'a str,
}
