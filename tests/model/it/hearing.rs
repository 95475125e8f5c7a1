//! The model hears exactly what the contract lets services react to, so that none of their reactions is left out.

use std::collections::BTreeSet;

use contracts::reactions::REACTIONS;
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{OrderPlaced, OrderStatus, OrderStockConfirmed};
use contracts::tradewind::payment::v1::PaymentRequested;
use inventory::domain::ReservationEvent;
use ordering::domain::{Order, OrderEvent, Reply};
use payment::domain::{Command, Moved, Payment, PaymentEvent};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use saga_model::{Context, Message};
use shipping::domain::ShipmentEvent;
use tradewind_domain::{Aggregate, EventSet};

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

/// What is priced at, and who is forgotten, settles no order.
fn is_beside_the_saga(event: &str) -> bool {
    ["tradewind.catalog.", "tradewind.identity.", "tradewind.ordering.v1.OrderErased"]
        .iter()
        .any(|beside| event.starts_with(beside))
}

#[test]
fn the_model_hears_what_each_service_declares() {
    for (reader, context) in [
        (Context::Ordering, "ordering"),
        (Context::Inventory, "inventory"),
        (Context::Payment, "payment"),
        (Context::Shipping, "shipping"),
    ] {
        let declared = REACTIONS.iter().filter(|reaction| reaction.context == context).map(|reaction| reaction.event);
        let declared: BTreeSet<_> = declared.filter(|name| !is_beside_the_saga(name)).collect();
        let events = events();
        let heard = events.iter().filter(|(_, message)| message.is_heard_by(reader)).map(|(name, _)| name.as_str());
        assert_eq!(heard.collect::<BTreeSet<_>>(), declared, "by {reader}");
    }
}

#[test]
fn an_order_of_a_build_that_knows_no_mismatch_takes_none_for_its_payment() {
    let euros = |minor| Money { currency: "EUR".to_owned(), minor };
    let mut payment = Payment::default();
    payment.evolve(&PaymentRequested { amount: Some(euros(900)), ..PaymentRequested::default() }.into());
    let taken = Moved { amount: euros(1), id: None, is_anothers: false };
    let told = payment.decide(Command::RecordCaptured(taken)).unwrap();

    let mut order = Order::default();
    order.evolve(&OrderPlaced::default().into());
    order.evolve(&OrderStockConfirmed::default().into());
    for event in told {
        // That build does not see the fields it does not know.
        let asked = match event {
            PaymentEvent::Declined(mut event) => {
                event.mismatch = 0;
                event.heard().1
            }
            PaymentEvent::Captured(mut event) => {
                event.mismatch = 0;
                event.heard().1
            }
            _ => continue,
        };
        for event in order.decide(asked).unwrap() {
            order.evolve(&event);
        }
        assert_eq!(order.status(), OrderStatus::Cancelling);
    }
}
