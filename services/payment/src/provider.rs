//! The card provider over HTTP and JSON. It turns what comes over the wire into answers and decides nothing.

use serde::{Deserialize, Serialize};
use tradewind_runtime::outside::Party;

use crate::app::{CardProvider, Charge, ChargeAnswer, NoAnswer, Refund, RefundAnswer};

impl CardProvider for Party {
    async fn charge(&self, charge: &Charge) -> Result<ChargeAnswer, NoAnswer> {
        let body = ChargeBody {
            key: &charge_key(&charge.order_id),
            order_id: &charge.order_id,
            amount_minor: charge.amount.minor(),
            currency: charge.amount.currency().code(),
            token: charge.token.expose(),
        };
        let answer: ChargeView = self.post(&["card", "charges"], Some(&body)).await?;
        Ok(answer.into())
    }

    async fn void(&self, order_id: &str) -> Result<ChargeAnswer, NoAnswer> {
        let path = ["card", "charges", &charge_key(order_id), "void"];
        let answer: ChargeView = self.post(&path, Some(&VoidBody { order_id })).await?;
        Ok(answer.into())
    }

    async fn refund(&self, refund: &Refund) -> Result<RefundAnswer, NoAnswer> {
        let body = RefundBody {
            key: &refund_key(&refund.order_id),
            charge_key: &charge_key(&refund.order_id),
            order_id: &refund.order_id,
            amount_minor: refund.amount.minor(),
            currency: refund.amount.currency().code(),
        };
        let RefundView::Refunded { refund_id } = self.post(&["card", "refunds"], Some(&body)).await?;
        Ok(RefundAnswer { refund_id })
    }
}

/// The key under which the provider knows the charge of an order, the same on every attempt.
fn charge_key(order_id: &str) -> String {
    format!("charge/{order_id}")
}

/// The key under which the provider knows the refund of an order, the same on every attempt.
fn refund_key(order_id: &str) -> String {
    format!("refund/{order_id}")
}

/// Holds a token: it must never have `Debug`.
#[derive(Serialize)]
struct ChargeBody<'a> {
    key: &'a str,
    order_id: &'a str,
    amount_minor: i64,
    currency: &'a str,
    token: &'a str,
}

#[derive(Serialize)]
struct VoidBody<'a> {
    order_id: &'a str,
}

#[derive(Serialize)]
struct RefundBody<'a> {
    key: &'a str,
    charge_key: &'a str,
    order_id: &'a str,
    amount_minor: i64,
    currency: &'a str,
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum ChargeView {
    Captured { charge_id: String },
    Declined { reason: String },
    Voided,
}

impl From<ChargeView> for ChargeAnswer {
    fn from(view: ChargeView) -> Self {
        match view {
            ChargeView::Captured { charge_id } => Self::Captured { charge_id },
            ChargeView::Declined { reason } => Self::Declined { reason },
            ChargeView::Voided => Self::Voided,
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum RefundView {
    Refunded { refund_id: String },
}
