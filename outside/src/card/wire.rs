//! What callers of the card provider send and get.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::refusal::{Checked, Refusal, check_money, check_text, verbose};

/// Asks for money. Has no `Debug`, so that amount and token cannot meet in a log.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChargeRequest {
    pub(super) key: String,
    pub(super) order_id: String,
    pub(super) amount_minor: i64,
    pub(super) currency: String,
    pub(super) token: String,
}

/// Asks that a charge never succeed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VoidRequest {
    pub(super) order_id: String,
}

/// Asks to give captured money back.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundRequest {
    pub(super) key: String,
    pub(super) charge_key: String,
    pub(super) order_id: String,
    pub(super) amount_minor: i64,
    pub(super) currency: String,
}

impl Checked for ChargeRequest {
    fn check(&self) -> Result<(), Refusal> {
        check_text("key", &self.key)?;
        check_text("order_id", &self.order_id)?;
        check_money(self.amount_minor, &self.currency)?;
        check_text("token", &self.token)
    }
}

impl Checked for VoidRequest {
    fn check(&self) -> Result<(), Refusal> {
        check_text("order_id", &self.order_id)
    }
}

impl Checked for RefundRequest {
    fn check(&self) -> Result<(), Refusal> {
        check_text("key", &self.key)?;
        check_text("charge_key", &self.charge_key)?;
        check_text("order_id", &self.order_id)?;
        check_money(self.amount_minor, &self.currency)
    }
}

/// Why a card was declined.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DeclineReason {
    CardDeclined,
    InsufficientFunds,
    UnknownToken,
    Verbose,
}

impl DeclineReason {
    fn text(self) -> Cow<'static, str> {
        match self {
            Self::CardDeclined => "CARD_DECLINED".into(),
            Self::InsufficientFunds => "INSUFFICIENT_FUNDS".into(),
            Self::UnknownToken => "UNKNOWN_TOKEN".into(),
            Self::Verbose => verbose(),
        }
    }
}

/// What became of a charge, as callers see it.
#[derive(Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum ChargeView {
    Captured { charge_id: String, amount_minor: i64, currency: String },
    Declined { reason: Cow<'static, str> },
    Voided,
}

impl ChargeView {
    pub(super) fn declined(reason: DeclineReason) -> Self {
        Self::Declined { reason: reason.text() }
    }
}

/// A refund that was made.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum RefundView {
    Refunded { refund_id: String, amount_minor: i64, currency: String },
}

/// What moved, or was refused, and when.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub(super) key: String,
    pub(super) order_id: String,
    pub(super) kind: EntryKind,
    pub(super) amount_minor: i64,
    pub(super) currency: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) at: OffsetDateTime,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EntryKind {
    Capture,
    Refund,
    Void,
    Decline,
}

/// Every entry, or those of one order, in the order in which they were decided.
#[derive(Debug, Serialize)]
pub(crate) struct Statement {
    pub(super) entries: Vec<Entry>,
}
