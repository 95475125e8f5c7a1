//! The order's rules as sentences, and as properties of whatever may be asked of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the verdict")]

mod cancelling;
mod fulfilling;
mod placing;
mod properties;

use contracts::tradewind::{
    money::v1::Money as ContractMoney,
    ordering::v1::{
        Address, CancellationReason, Compensation, OrderCancellationRefused, OrderCancellationRequested,
        OrderCancelled, OrderClosed, OrderCompensated, OrderConfirmed, OrderDelivered, OrderPaid, OrderPlaced,
        OrderShipped, OrderStockConfirmed, PricedLine, Recipient,
    },
};
use prost_types::Timestamp;
use tradewind_domain::Money;

use super::{Command, Line, OrderEvent, Place};

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn gbp(minor: i64) -> Money {
    Money::new("GBP", minor).unwrap()
}

fn paid_back(minor: i64) -> ContractMoney {
    ContractMoney { currency: "GBP".to_owned(), minor }
}

fn recipient() -> Recipient {
    Recipient {
        name: "Ada".to_owned(),
        email: "ada@example.org".to_owned(),
        address: Some(Address {
            line1: "1 Quay".to_owned(),
            city: "Leith".to_owned(),
            postal_code: "EH6".to_owned(),
            country: "GB".to_owned(),
        }),
    }
}

fn place() -> Place {
    Place {
        order_id: ID.to_owned(),
        customer_id: "c-1".to_owned(),
        recipient: recipient(),
        lines: vec![
            Line {
                product_id: "tea".to_owned(),
                sku: "SKU-TEA".to_owned(),
                name: "Tea".to_owned(),
                quantity: 2,
                unit_price: gbp(300),
            },
            Line {
                product_id: "pot".to_owned(),
                sku: "SKU-POT".to_owned(),
                name: "Teapot".to_owned(),
                quantity: 1,
                unit_price: gbp(1_400),
            },
        ],
        expected_total: None,
        payment_token: "tok_ok".to_owned().into(),
        deadline: Timestamp { seconds: 1_800_000_000, nanos: 0 },
        ..Place::default()
    }
}

fn order_id() -> String {
    ID.to_owned()
}

fn placed() -> OrderEvent {
    OrderPlaced {
        order_id: order_id(),
        customer_id: "c-1".to_owned(),
        recipient: Some(recipient()),
        lines: lines(),
        total: Some(paid_back(2_000)),
        payment_token: "tok_ok".to_owned(),
        deadline: Some(Timestamp { seconds: 1_800_000_000, nanos: 0 }),
        country: recipient().address.unwrap_or_default().country,
    }
    .into()
}

fn lines() -> Vec<PricedLine> {
    place().lines.into_iter().map(Into::into).collect()
}

fn stock_confirmed() -> OrderEvent {
    OrderStockConfirmed {
        order_id: order_id(),
        total: Some(paid_back(2_000)),
        payment_token: "tok_ok".to_owned(),
        ..OrderStockConfirmed::default()
    }
    .into()
}

fn paid() -> OrderEvent {
    OrderPaid { order_id: order_id(), recipient: Some(recipient()), lines: lines(), ..OrderPaid::default() }.into()
}

fn confirmed() -> OrderEvent {
    OrderConfirmed {
        order_id: order_id(),
        recipient: Some(recipient()),
        total: Some(paid_back(2_000)),
        tracking: "T-1".to_owned(),
        ..OrderConfirmed::default()
    }
    .into()
}

fn cancellation_requested() -> OrderEvent {
    OrderCancellationRequested { order_id: order_id() }.into()
}

fn cancellation_refused() -> OrderEvent {
    OrderCancellationRefused { order_id: order_id() }.into()
}

fn shipped() -> OrderEvent {
    OrderShipped {
        order_id: order_id(),
        recipient: Some(recipient()),
        tracking: "T-1".to_owned(),
        ..OrderShipped::default()
    }
    .into()
}

fn delivered() -> OrderEvent {
    OrderDelivered { order_id: order_id() }.into()
}

fn cancelled(reason: CancellationReason) -> OrderEvent {
    OrderCancelled { order_id: order_id(), reason: reason.into(), ..OrderCancelled::default() }.into()
}

fn compensated(what: Compensation, refunded: Option<ContractMoney>) -> OrderEvent {
    OrderCompensated { order_id: order_id(), compensation: what.into(), refunded }.into()
}

fn closed(reason: CancellationReason, refunded: Option<ContractMoney>) -> OrderEvent {
    OrderClosed {
        order_id: order_id(),
        recipient: Some(recipient()),
        reason: reason.into(),
        refunded,
        ..OrderClosed::default()
    }
    .into()
}

fn refund() -> Command {
    Command::RecordRefund { amount: Some(paid_back(2_000)) }
}

#[test]
fn what_releases_have_written_is_folded() {
    let golden = include_str!("../../../../../released/golden.txt");
    assert!(tradewind_testing::fold_released::<crate::domain::Order>(golden) > 0);
}
