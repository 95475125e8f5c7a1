//! The payment's rules: every command in every status, and properties of whatever may be asked of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the verdict")]

mod compare;
mod ledger;
mod properties;
mod table;

use contracts::tradewind::{
    money::v1::Money as ContractMoney,
    payment::v1::{
        Mismatch, PaymentCaptured, PaymentDeclined, PaymentRefundRequested, PaymentRefunded, PaymentRequested,
        PaymentVoidRequested, PaymentVoided,
    },
};
use tradewind_domain::{Money, Reason, Reference};

use super::{Command, Moved, PaymentEvent, Token};

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn order_id() -> String {
    ID.to_owned()
}

fn amount() -> ContractMoney {
    ContractMoney { currency: "GBP".to_owned(), minor: 2_000 }
}

fn requested() -> PaymentEvent {
    PaymentRequested { order_id: order_id(), amount: Some(amount()), payment_token: "tok_ok".to_owned() }.into()
}

fn captured() -> PaymentEvent {
    captured_as(&moved(2_000, "ch_1"), Mismatch::Unspecified)
}

fn captured_as(moved: &Moved, mismatch: Mismatch) -> PaymentEvent {
    PaymentCaptured {
        order_id: order_id(),
        amount: Some(moved.amount.clone()),
        charge_id: moved.id().to_owned(),
        mismatch: mismatch.into(),
    }
    .into()
}

fn declined() -> PaymentEvent {
    declined_for("CARD_DECLINED", Mismatch::Unspecified)
}

fn declined_for(reason: &str, mismatch: Mismatch) -> PaymentEvent {
    PaymentDeclined { order_id: order_id(), reason: reason.to_owned(), mismatch: mismatch.into() }.into()
}

fn void_requested() -> PaymentEvent {
    PaymentVoidRequested { order_id: order_id() }.into()
}

fn voided() -> PaymentEvent {
    PaymentVoided { order_id: order_id() }.into()
}

fn refund_requested() -> PaymentEvent {
    refund_of(&moved(2_000, ""))
}

fn refund_of(moved: &Moved) -> PaymentEvent {
    PaymentRefundRequested { order_id: order_id(), amount: Some(moved.amount.clone()) }.into()
}

fn refunded() -> PaymentEvent {
    refunded_as(&moved(2_000, "re_1"), Mismatch::Unspecified)
}

fn refunded_as(moved: &Moved, mismatch: Mismatch) -> PaymentEvent {
    PaymentRefunded {
        order_id: order_id(),
        amount: Some(moved.amount.clone()),
        refund_id: moved.id().to_owned(),
        mismatch: mismatch.into(),
    }
    .into()
}

/// Money that was moved, in the order's currency.
fn moved(minor: i64, id: &str) -> Moved {
    let amount = ContractMoney { currency: "GBP".to_owned(), minor };
    Moved { amount, id: Reference::read(id), is_anothers: false }
}

fn charge_of(minor: i64) -> Command {
    let amount = Money::new("GBP", minor).unwrap();
    Command::Charge { order_id: order_id(), amount, token: Token::from("tok_ok".to_owned()) }
}

fn charge() -> Command {
    charge_of(2_000)
}

fn give_back() -> Command {
    Command::GiveBack { order_id: order_id() }
}

fn record_captured() -> Command {
    Command::RecordCaptured(moved(2_000, "ch_1"))
}

fn record_declined() -> Command {
    Command::RecordDeclined { reason: Reason::told("CARD_DECLINED") }
}

fn record_refunded() -> Command {
    Command::RecordRefunded(moved(2_000, "re_1"))
}

#[test]
fn what_releases_have_written_is_folded() {
    let golden = include_str!("../../../../../released/golden.txt");
    assert!(tradewind_testing::fold_released::<crate::domain::Payment>(golden) > 0);
}
