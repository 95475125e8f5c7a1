//! What must be true of every order, in every state and when it comes to rest.

use contracts::tradewind::{
    inventory::v1::{Reservation, ReservationStatus},
    ordering::v1::OrderStatus,
    payment::v1::PaymentStatus,
    shipping::v1::ShipmentStatus,
};
use shipping::app::Standing;

use crate::{order, saga::Saga, step::Step};

/// Tells whether an order keeps a rule, given all the steps that it can take and what they lead to.
type Rule = fn(&Saga, &[(Step, &Saga)]) -> bool;

/// Every rule, by its name.
pub(crate) const RULES: [(&str, Rule); 7] = [
    ("a card is charged once at most", |saga, _| saga.card.record.captured <= order::PRICE),
    ("money is given back once at most, and only where it is not to be kept", |saga, _| refunds_are_due(saga)),
    ("a parcel leaves for a confirmed order only", |saga, _| !has_left(saga) || is_sold(saga)),
    ("no answer and no reaction is refused", |saga, _| saga.refusal.is_none()),
    ("a closed order has everything back", |saga, _| {
        status(saga) != OrderStatus::Cancelled || has_everything_back(saga)
    }),
    ("an order that comes to rest is settled", comes_to_rest_settled),
    ("every step but a crash leads on", leads_on),
];

/// What the stock says about an order: the units set aside for it, and the units that left.
pub(crate) fn units(saga: &Saga) -> (i64, i64) {
    match reservation(saga) {
        ReservationStatus::Reserved => (1, 0),
        ReservationStatus::Shipped => (0, 1),
        _ => (0, 0),
    }
}

/// Tells whether the order is confirmed, or further.
pub(crate) fn is_sold(saga: &Saga) -> bool {
    matches!(status(saga), OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered)
}

/// How far the order is.
pub(crate) fn status(saga: &Saga) -> OrderStatus {
    saga.order.status()
}

/// What has become of its reservation.
pub(crate) fn reservation(saga: &Saga) -> ReservationStatus {
    Reservation::from(&saga.reservation).status()
}

fn refunds_are_due(saga: &Saga) -> bool {
    let record = &saga.card.record;
    let cancelled = matches!(status(saga), OrderStatus::Cancelling | OrderStatus::Cancelled);
    let mistaken = record.captured != order::PRICE;
    record.refunded <= record.captured && (record.refunded == 0 || cancelled || mistaken)
}

fn has_left(saga: &Saga) -> bool {
    matches!(saga.shipment.status(), ShipmentStatus::Dispatched | ShipmentStatus::Delivered)
        || matches!(saga.carrier.record, Some(Standing::Dispatched | Standing::Delivered))
}

fn has_everything_back(saga: &Saga) -> bool {
    let money = matches!(
        saga.payment.status(),
        PaymentStatus::Unspecified | PaymentStatus::Declined | PaymentStatus::Voided | PaymentStatus::Refunded
    );
    let parcel = matches!(
        saga.shipment.status(),
        ShipmentStatus::Unspecified | ShipmentStatus::Rejected | ShipmentStatus::Cancelled
    );
    let stock = matches!(reservation(saga), ReservationStatus::Rejected | ReservationStatus::Released);
    let free = matches!(saga.carrier.record, None | Some(Standing::Rejected { .. } | Standing::Cancelled));
    money && parcel && stock && free && saga.card.record.captured == saga.card.record.refunded
}

fn has_what_was_bought(saga: &Saga) -> bool {
    let record = &saga.card.record;
    let fulfilled = matches!(
        (status(saga), reservation(saga), &saga.carrier.record),
        (OrderStatus::Confirmed, ReservationStatus::Reserved, Some(Standing::Booked { .. }))
            | (OrderStatus::Shipped, ReservationStatus::Shipped, Some(Standing::Dispatched))
            | (OrderStatus::Delivered, ReservationStatus::Shipped, Some(Standing::Delivered))
    );
    let paid = record.captured == order::PRICE && record.refunded == 0;
    fulfilled && paid
}

/// Where no step is owed any more, nobody waits, and the books hold.
fn comes_to_rest_settled(saga: &Saga, after: &[(Step, &Saga)]) -> bool {
    let rests = !after.iter().any(|(step, _)| saga.is_owed(*step));
    let settled = saga.order.is_settled() && saga.owes_no_call();
    !rests || settled && (has_everything_back(saga) || has_what_was_bought(saga))
}

fn leads_on(saga: &Saga, after: &[(Step, &Saga)]) -> bool {
    let is_exempt = |step: &Step, next: &Saga| matches!(step, Step::Crash { .. }) || next.refusal.is_some();
    after.iter().all(|(step, next)| is_exempt(step, next) || next.progress() > saga.progress())
}
