//! The model hears exactly what the services declare, so that none of their reactions is left out.

use std::collections::BTreeSet;

use inventory::domain::ReservationEvent;
use ordering::domain::OrderEvent;
use payment::domain::PaymentEvent;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use saga_model::{Context, Message};
use shipping::domain::ShipmentEvent;
use tradewind_domain::EventSet;
use tradewind_events::Reactions;

/// An empty event of that type, if it is one of an order, a reservation, a payment or a shipment.
fn message(type_name: &str) -> Option<Message> {
    let order = OrderEvent::decode(type_name, &[]).map(Message::Ordering);
    let reservation = ReservationEvent::decode(type_name, &[]).map(Message::Inventory);
    let payment = PaymentEvent::decode(type_name, &[]).map(Message::Payment);
    let shipment = ShipmentEvent::decode(type_name, &[]).map(Message::Shipping);
    order.or(reservation).or(payment).or(shipment).ok()
}

/// Every event of the saga, by its full name.
fn events() -> Vec<(String, Message)> {
    let files = FileDescriptorSet::decode(contracts::DESCRIPTOR).unwrap().file;
    let names = files
        .iter()
        .flat_map(|file| file.message_type.iter().map(|message| format!("{}.{}", file.package(), message.name())));
    names.filter_map(|name| message(&name).map(|message| (name, message))).collect()
}

fn assert_hears(reader: Context, reactions: &Reactions) {
    let of_the_catalogue = |name: &String| name.starts_with("tradewind.catalog.");
    let declared = reactions.declared().into_iter().map(|(event, _)| event);
    let declared: BTreeSet<_> = declared.filter(|name| !of_the_catalogue(name)).collect();
    let heard = events().into_iter().filter(|(_, message)| message.is_heard_by(reader)).map(|(name, _)| name);
    assert_eq!(heard.collect::<BTreeSet<_>>(), declared, "by {reader}");
}

#[test]
fn the_model_hears_what_each_service_declares() {
    assert_hears(Context::Ordering, &ordering::reactions());
    assert_hears(Context::Inventory, &inventory::reactions());
    assert_hears(Context::Payment, &payment::app::reactions());
    assert_hears(Context::Shipping, &shipping::app::reactions());
}
