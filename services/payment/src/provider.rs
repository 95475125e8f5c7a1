//! The card provider over HTTP and JSON. It turns what comes over the wire into answers and decides nothing.

#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;
mod statement;

use contracts::tradewind::money::v1::Money;
use serde::{Deserialize, Serialize};
use tradewind_domain::{Reason, Reference};
use tradewind_runtime::outside::Party;

use crate::app::{CardProvider, Charge, ChargeAnswer, NoAnswer, Receipt, Refund};

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
        answer.read()
    }

    async fn void(&self, order_id: &str) -> Result<ChargeAnswer, NoAnswer> {
        let path = ["card", "charges", &charge_key(order_id), "void"];
        let answer: ChargeView = self.post(&path, Some(&VoidBody { order_id })).await?;
        answer.read()
    }

    async fn refund(&self, refund: &Refund) -> Result<Receipt, NoAnswer> {
        let body = RefundBody {
            key: &refund_key(&refund.order_id),
            charge_key: &charge_key(&refund.order_id),
            order_id: &refund.order_id,
            amount_minor: refund.amount.minor,
            currency: &refund.amount.currency,
        };
        let answer: RefundView = self.post(&["card", "refunds"], Some(&body)).await?;
        let RefundView::Refunded { refund_id, amount_minor, currency } = answer;
        receipt(&refund_id, amount_minor, &currency)
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

/// An id that is left out is as good as an empty one.
#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum ChargeView {
    Captured {
        #[serde(default)]
        charge_id: String,
        amount_minor: i64,
        currency: String,
    },
    Declined {
        #[serde(default)]
        reason: String,
    },
    Voided,
}

impl ChargeView {
    fn read(self) -> Result<ChargeAnswer, NoAnswer> {
        match self {
            Self::Captured { charge_id, amount_minor, currency } => {
                receipt(&charge_id, amount_minor, &currency).map(ChargeAnswer::Captured)
            }
            Self::Declined { reason } => Ok(ChargeAnswer::Declined { reason: Reason::told(&reason) }),
            Self::Voided => Ok(ChargeAnswer::Voided),
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum RefundView {
    Refunded {
        #[serde(default)]
        refund_id: String,
        amount_minor: i64,
        currency: String,
    },
}

/// What was moved, where the currency has the form of one; `gbp` is GBP.
fn receipt(id: &str, minor: i64, currency: &str) -> Result<Receipt, NoAnswer> {
    let currency = currency.to_ascii_uppercase();
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(NoAnswer::Unreadable("a currency that is none"));
    }
    Ok(Receipt { amount: Money { currency, minor }, id: Reference::read(id) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(answer: &str) -> Result<ChargeAnswer, NoAnswer> {
        serde_json::from_str::<ChargeView>(answer).unwrap().read()
    }

    #[test]
    fn what_was_taken_is_read_as_it_is_said() {
        let taken = |id: &str, minor, currency: &str| {
            let amount = Money { currency: currency.to_owned(), minor };
            Ok(ChargeAnswer::Captured(Receipt { amount, id: Reference::read(id) }))
        };
        let answer = |id: &str, minor: i64, currency: &str| {
            read(&format!(
                r#"{{"status":"captured","charge_id":"{id}","amount_minor":{minor},"currency":"{currency}"}}"#
            ))
        };
        assert_eq!(answer("ch_1", 900, "gbp"), taken("ch_1", 900, "GBP"));
        assert_eq!(answer("ch_1", -1, "XBT"), taken("ch_1", -1, "XBT"));
        assert_eq!(answer("a b", 900, "GBP"), taken("", 900, "GBP"));
        assert_eq!(read(r#"{"status":"captured","amount_minor":900,"currency":"GBP"}"#), taken("", 900, "GBP"));
        for currency in ["", "GB", "GBPX", r"G\u0000P", "£££"] {
            assert_eq!(
                answer("ch_1", 900, currency),
                Err(NoAnswer::Unreadable("a currency that is none")),
                "{currency}"
            );
        }
    }

    #[test]
    fn a_reason_is_kept_where_it_is_one() {
        let declined = |reason: &str| Ok(ChargeAnswer::Declined { reason: Reason::told(reason) });
        assert_eq!(read(r#"{"status":"declined","reason":"CARD_DECLINED"}"#), declined("CARD_DECLINED"));
        assert_eq!(read(r#"{"status":"declined","reason":"card 4111111111111111 of J. Smith"}"#), declined("UNNAMED"));
    }
}
