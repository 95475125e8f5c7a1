//! The mail sink: takes every message once and shows what it took; sends nothing to anybody.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::decision::Decision;
use crate::refusal::{Checked, Refusal, check_text, check_text_up_to};

/// The longest address there is (RFC 5321).
const LONGEST_ADDRESS: usize = 254;

/// A message to take. Has no `Debug`, so that addresses cannot get into a log.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageRequest {
    pub(crate) key: String,
    to: String,
    subject: String,
    body: String,
}

impl Checked for MessageRequest {
    fn check(&self) -> Result<(), Refusal> {
        check_text("key", &self.key)?;
        check_text_up_to(LONGEST_ADDRESS, "to", &self.to)?;
        check_text("subject", &self.subject)
    }
}

/// The answer to a message.
#[derive(Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum MessageView {
    Accepted,
}

/// A message that was taken, and when.
#[derive(Clone, Serialize)]
pub(crate) struct Message {
    key: String,
    to: String,
    subject: String,
    body: String,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

/// The messages taken, in order.
#[derive(Serialize)]
pub(crate) struct Messages {
    messages: Vec<Message>,
}

/// What the sink decided.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fact {
    Accepted { key: String, to: String, subject: String, body: String },
}

impl std::fmt::Debug for Fact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Accepted { key, .. } = self;
        formatter.debug_struct("Accepted").field("key", key).finish_non_exhaustive()
    }
}

/// All messages in order, and where each key is among them.
#[derive(Default)]
pub(crate) struct Sink {
    messages: Vec<Message>,
    by_key: HashMap<String, usize>,
}

impl Sink {
    /// Takes a message; a known key is not taken again.
    pub(crate) fn accept(&self, request: MessageRequest) -> Result<Decision<Fact, MessageView>, Refusal> {
        let MessageRequest { key, to, subject, body } = request;
        match self.by_key.get(&key).and_then(|index| self.messages.get(*index)) {
            None => Ok(Decision::new(Fact::Accepted { key, to, subject, body }, MessageView::Accepted)),
            Some(known) if known.to == to && known.subject == subject && known.body == body => {
                Ok(Decision::known(MessageView::Accepted))
            }
            Some(_) => Err(Refusal::key_reused()),
        }
    }

    /// All messages, or only those to one address.
    pub(crate) fn list(&self, to: Option<&str>) -> Messages {
        let messages = self.messages.iter().filter(|message| to.is_none_or(|to| message.to == to));
        Messages { messages: messages.cloned().collect() }
    }

    /// Takes a decided fact into the state; at replay too, so it must not refuse anything.
    pub(crate) fn apply(&mut self, fact: Fact, at: OffsetDateTime) {
        let Fact::Accepted { key, to, subject, body } = fact;
        self.by_key.insert(key.clone(), self.messages.len());
        self.messages.push(Message { key, to, subject, body, at });
    }
}
