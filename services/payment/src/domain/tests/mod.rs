//! The payment's rules: every command in every status, and properties of whatever may be asked of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the verdict")]

mod properties;
mod table;

use contracts::tradewind::{
    money::v1::Money as ContractMoney,
    payment::v1::{
        PaymentCaptured, PaymentDeclined, PaymentRefundRequested, PaymentRefunded, PaymentRequested,
        PaymentVoidRequested, PaymentVoided,
    },
};
use tradewind_domain::Money;

use super::{Command, PaymentEvent, Token};

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn order_id() -> String {
    ID.to_owned()
}

fn amount() -> Option<ContractMoney> {
    Some(ContractMoney { currency: "GBP".to_owned(), minor: 2_000 })
}

fn requested() -> PaymentEvent {
    PaymentRequested { order_id: order_id(), amount: amount(), payment_token: "tok_ok".to_owned() }.into()
}

fn captured() -> PaymentEvent {
    PaymentCaptured { order_id: order_id(), amount: amount(), charge_id: "ch_1".to_owned() }.into()
}

fn declined() -> PaymentEvent {
    PaymentDeclined { order_id: order_id(), reason: "CARD_DECLINED".to_owned() }.into()
}

fn void_requested() -> PaymentEvent {
    PaymentVoidRequested { order_id: order_id() }.into()
}

fn voided() -> PaymentEvent {
    PaymentVoided { order_id: order_id() }.into()
}

fn refund_requested() -> PaymentEvent {
    PaymentRefundRequested { order_id: order_id(), amount: amount() }.into()
}

fn refunded() -> PaymentEvent {
    PaymentRefunded { order_id: order_id(), amount: amount(), refund_id: "re_1".to_owned() }.into()
}

fn charge_of(minor: i64) -> Command {
    let amount = Money::new("GBP", minor).unwrap();
    Command::Charge { order_id: order_id(), amount, token: Token::from("tok_ok".to_owned()) }
}

fn charge() -> Command {
    charge_of(2_000)
}

fn record_captured() -> Command {
    Command::RecordCaptured { charge_id: "ch_1".to_owned() }
}

fn record_declined() -> Command {
    Command::RecordDeclined { reason: "CARD_DECLINED".to_owned() }
}

fn record_refunded() -> Command {
    Command::RecordRefunded { refund_id: "re_1".to_owned() }
}
