//! The one place where a payment's events become calls that are owed to the card provider.
//!
//! A payment has at most one intent, and its action is always what the payment waits for: PENDING a charge, VOIDING a void,
//! REFUNDING a refund. Writing the next one replaces the one before, whose outcome is then dropped, also where its call is
//! under way.

use contracts::tradewind::money::v1::Money as ContractMoney;
use prost::Message;
use tradewind_domain::{Error, Money};
use tradewind_store::Tx;
use tradewind_work::{NewIntent, intend};

use super::{Charge, Refund, moved};
use crate::domain::{Command, Payment, PaymentEvent, Token};

/// The kind of all intents of this context.
pub(super) const CARD: &str = "card";

const CHARGE: &str = "charge";
const VOID: &str = "void";
const REFUND: &str = "refund";

/// A call that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    Charge(Charge),
    Void { order_id: String },
    Refund(Refund),
}

/// Lets the order's payment decide on `command`, writes the intent that its events ask for in the same transaction, and
/// returns the events.
///
/// # Errors
/// The payment's refusal, or the database's.
pub(super) async fn execute(tx: &mut Tx, order_id: &str, command: Command) -> Result<Vec<PaymentEvent>, Error> {
    let executed = tx.execute::<Payment>(order_id, command).await?;
    moved::count(tx, &executed.events);
    for event in &executed.events {
        if let Some(intent) = intent_of(order_id, event) {
            intend(tx, intent);
        }
    }
    Ok(executed.events)
}

/// The intent that an event asks for; its payload is the event itself.
#[must_use]
pub fn intent_of(order_id: &str, event: &PaymentEvent) -> Option<NewIntent> {
    // Money is paid back whoever is erased.
    let (action, payload, subject) = match event {
        PaymentEvent::Requested(event) => (CHARGE, event.encode_to_vec(), order_id),
        PaymentEvent::VoidRequested(event) => (VOID, event.encode_to_vec(), ""),
        PaymentEvent::RefundRequested(event) => (REFUND, event.encode_to_vec(), ""),
        PaymentEvent::Captured(_) | PaymentEvent::Declined(_) | PaymentEvent::Voided(_) | PaymentEvent::Refunded(_) => {
            return None;
        }
    };
    let (key, subject) = (order_id.to_owned(), subject.to_owned());
    Some(NewIntent { kind: CARD, key, action: action.to_owned(), payload, subject })
}

/// The call that an intent stands for.
///
/// # Errors
/// `Internal` for what [`execute`] has never written.
pub(crate) fn owed(action: &str, payload: &[u8]) -> Result<Owed, Error> {
    use contracts::tradewind::payment::v1::{PaymentRefundRequested, PaymentRequested, PaymentVoidRequested};
    match action {
        CHARGE => {
            let PaymentRequested { order_id, amount, payment_token } = decode(payload)?;
            Ok(Owed::Charge(Charge { order_id, amount: money(amount)?, token: Token::from(payment_token) }))
        }
        VOID => decode(payload).map(|PaymentVoidRequested { order_id }| Owed::Void { order_id }),
        REFUND => {
            let PaymentRefundRequested { order_id, amount } = decode(payload)?;
            let amount = amount.ok_or_else(|| Error::internal("a refund without an amount"))?;
            Ok(Owed::Refund(Refund { order_id, amount }))
        }
        unknown => Err(Error::internal(format!("no call is named {unknown}"))),
    }
}

fn decode<M: Message + Default>(payload: &[u8]) -> Result<M, Error> {
    M::decode(payload).map_err(Error::internal)
}

fn money(amount: Option<ContractMoney>) -> Result<Money, Error> {
    let ContractMoney { currency, minor } = amount.unwrap_or_default();
    Money::new(&currency, minor).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use contracts::tradewind::payment::v1::{
        PaymentCaptured, PaymentRefundRequested, PaymentRequested, PaymentVoidRequested,
    };

    use super::*;

    fn gbp(minor: i64) -> ContractMoney {
        ContractMoney { currency: "GBP".to_owned(), minor }
    }

    fn owed_after(event: impl Into<PaymentEvent>) -> Option<Owed> {
        intent_of("o", &event.into()).map(|intent| {
            assert_eq!((intent.kind, intent.key.as_str()), (CARD, "o"));
            owed(&intent.action, &intent.payload).unwrap()
        })
    }

    #[test]
    fn each_request_becomes_its_call() {
        let (order_id, amount) = ("o".to_owned(), Money::new("GBP", 5).unwrap());
        let requested =
            PaymentRequested { order_id: order_id.clone(), amount: Some(gbp(5)), payment_token: "tok_ok".to_owned() };
        let token = Token::from("tok_ok".to_owned());
        let charge = Charge { order_id: order_id.clone(), amount, token };
        assert_eq!(owed_after(requested), Some(Owed::Charge(charge)));
        let void = Owed::Void { order_id: order_id.clone() };
        assert_eq!(owed_after(PaymentVoidRequested { order_id: order_id.clone() }), Some(void));
        let taken = ContractMoney { currency: "XBT".to_owned(), minor: 7 };
        let refund = Owed::Refund(Refund { order_id: order_id.clone(), amount: taken.clone() });
        assert_eq!(owed_after(PaymentRefundRequested { order_id, amount: Some(taken) }), Some(refund));
        assert_eq!(owed_after(PaymentCaptured::default()), None);
    }

    #[test]
    fn a_refund_is_owed_whoever_is_erased_and_a_card_is_forgotten() {
        let subject = |event: PaymentEvent| intent_of("o", &event).unwrap().subject;
        assert_eq!(subject(PaymentRequested::default().into()), "o");
        assert_eq!(subject(PaymentVoidRequested::default().into()), "");
        assert_eq!(subject(PaymentRefundRequested::default().into()), "");
    }

    #[test]
    fn what_was_never_written_is_a_defect() {
        assert!(owed("steal", &[]).is_err());
        assert!(owed(CHARGE, &[0xff]).is_err());
        assert!(owed(REFUND, &[]).is_err(), "no amount");
    }
}
