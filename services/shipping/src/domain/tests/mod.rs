//! The shipment's rules: every command in every status, properties of whatever may be asked of it, and every order in
//! which a cancellation and a dispatch may meet.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the verdict")]

mod properties;
mod races;
mod table;

use contracts::tradewind::{
    ordering::v1::{Address, Recipient},
    shipping::v1::{
        Mismatch, ParcelItem, ShipmentBooked, ShipmentCancellationRefused, ShipmentCancellationRequested,
        ShipmentCancelled, ShipmentCleared, ShipmentDelivered, ShipmentDispatched, ShipmentRejected, ShipmentRequested,
    },
};

use tradewind_domain::{Reason, Reference};

use super::{Command, ShipmentEvent};

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn order_id() -> String {
    ID.to_owned()
}

fn recipient() -> Recipient {
    Recipient {
        name: "A. Customer".to_owned(),
        email: "customer@example.com".to_owned(),
        address: Some(Address {
            line1: "1 High Street".to_owned(),
            city: "Leeds".to_owned(),
            postal_code: "LS1 4AP".to_owned(),
            country: "GB".to_owned(),
        }),
    }
}

fn items(quantity: i64) -> Vec<ParcelItem> {
    vec![ParcelItem { sku: "TEA-1".to_owned(), quantity }]
}

fn requested() -> ShipmentEvent {
    ShipmentRequested { order_id: order_id(), recipient: Some(recipient()), items: items(2) }.into()
}

fn cancel() -> Command {
    Command::Cancel { order_id: order_id() }
}

fn booked() -> ShipmentEvent {
    ShipmentBooked { order_id: order_id(), tracking: "TW1".to_owned() }.into()
}

fn rejected() -> ShipmentEvent {
    ShipmentRejected { order_id: order_id(), reason: "UNDELIVERABLE_ADDRESS".to_owned() }.into()
}

fn cleared() -> ShipmentEvent {
    ShipmentCleared { order_id: order_id() }.into()
}

fn cancellation_requested() -> ShipmentEvent {
    ShipmentCancellationRequested { order_id: order_id(), ..ShipmentCancellationRequested::default() }.into()
}

fn cancelled() -> ShipmentEvent {
    ShipmentCancelled { order_id: order_id() }.into()
}

fn cancellation_refused() -> ShipmentEvent {
    ShipmentCancellationRefused { order_id: order_id() }.into()
}

fn dispatched() -> ShipmentEvent {
    ShipmentDispatched { order_id: order_id(), tracking: "TW1".to_owned() }.into()
}

fn delivered() -> ShipmentEvent {
    ShipmentDelivered { order_id: order_id() }.into()
}

fn book_of(quantity: i64) -> Command {
    Command::Book { order_id: order_id(), recipient: Some(recipient()), items: items(quantity) }
}

fn book() -> Command {
    book_of(2)
}

fn record_booked() -> Command {
    booked_as("TW1")
}

fn record_rejected() -> Command {
    Command::RecordRejected { reason: Reason::told("UNDELIVERABLE_ADDRESS") }
}

fn booked_as(tracking: &str) -> Command {
    Command::RecordBooked { tracking: Reference::read(tracking), is_anothers: false }
}

#[test]
fn what_releases_have_written_is_folded() {
    let golden = include_str!("../../../../../released/golden.txt");
    assert!(tradewind_testing::fold_released::<crate::domain::Shipment>(golden) > 0);
}
