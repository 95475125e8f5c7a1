//! Every command in every status, and what it leads to.

use contracts::tradewind::shipping::v1::ShipmentStatus;
use tradewind_testing::scenario::given;

use super::*;
use crate::domain::Shipment;

/// A way into each status; whether the carrier had taken the parcel before is told apart.
const WAYS: [Way; 13] = [
    Way(ShipmentStatus::Unspecified, false, Vec::new),
    Way(ShipmentStatus::Pending, false, || vec![requested()]),
    Way(ShipmentStatus::Booked, true, || vec![requested(), booked()]),
    Way(ShipmentStatus::Rejected, false, || vec![requested(), rejected()]),
    Way(ShipmentStatus::Rejected, false, || vec![requested(), cancellation_requested(), rejected()]),
    Way(ShipmentStatus::Cleared, true, ready),
    Way(ShipmentStatus::Cancelling, false, || vec![requested(), cancellation_requested()]),
    Way(ShipmentStatus::Cancelling, true, || [ready(), vec![cancellation_requested()]].concat()),
    Way(ShipmentStatus::Cancelled, false, || vec![requested(), cancellation_requested(), cancelled()]),
    Way(ShipmentStatus::Cancelled, true, || [ready(), vec![cancellation_requested(), cancelled()]].concat()),
    Way(ShipmentStatus::Dispatched, true, || [ready(), vec![dispatched()]].concat()),
    Way(ShipmentStatus::Dispatched, true, || [ready(), vec![dispatched(), cancellation_refused()]].concat()),
    Way(ShipmentStatus::Delivered, true, || [ready(), vec![dispatched(), delivered()]].concat()),
];

/// A status, whether the carrier has a number for it, and how it came to it.
struct Way(ShipmentStatus, bool, fn() -> Vec<ShipmentEvent>);

fn ready() -> Vec<ShipmentEvent> {
    vec![requested(), booked(), cleared()]
}

/// Events, or the reason of a refusal.
type Expected = Result<Vec<ShipmentEvent>, &'static str>;

const NOTHING: Expected = Ok(Vec::new());
const UNEXPECTED: Expected = Err("UNEXPECTED_COMMAND");

/// Checks one command on every way.
#[track_caller]
fn check(command: &Command, expected: impl Fn(ShipmentStatus, bool) -> Expected) {
    for Way(status, taken, history) in WAYS {
        assert_eq!(given::<Shipment>(history()).state().status(), status, "after {:?}", history());
        let decided = given::<Shipment>(history()).when(command.clone());
        match expected(status, taken) {
            Ok(events) => drop(decided.then(events)),
            Err(reason) => decided.then_refused(reason),
        }
    }
}

#[test]
fn a_booking_is_requested_once() {
    check(&book(), |status, _| match status {
        ShipmentStatus::Unspecified => Ok(vec![requested()]),
        _ => NOTHING,
    });
}

#[test]
fn other_contents_for_the_same_order_are_refused() {
    check(&book_of(3), |status, _| match status {
        ShipmentStatus::Unspecified => {
            let event = ShipmentRequested { order_id: order_id(), recipient: Some(recipient()), items: items(3) };
            Ok(vec![event.into()])
        }
        _ => Err("SHIPMENT_ALREADY_REQUESTED"),
    });
}

#[test]
fn a_parcel_needs_contents_and_a_recipient() {
    check(&book_of(0), |_, _| Err("NOTHING_TO_SHIP"));
    let empty = Command::Book { order_id: order_id(), recipient: Some(recipient()), items: vec![] };
    check(&empty, |_, _| Err("NOTHING_TO_SHIP"));
    let nobody = Command::Book { order_id: order_id(), recipient: None, items: items(2) };
    check(&nobody, |_, _| Err("RECIPIENT_MISSING"));
}

#[test]
fn only_what_is_booked_is_cleared() {
    check(&Command::Clear, |status, _| match status {
        ShipmentStatus::Booked => Ok(vec![cleared()]),
        ShipmentStatus::Unspecified | ShipmentStatus::Pending | ShipmentStatus::Rejected => UNEXPECTED,
        _ => NOTHING,
    });
}

#[test]
fn a_cancellation_is_granted_until_the_parcel_has_left() {
    check(&Command::RequestCancellation, |status, _| match status {
        ShipmentStatus::Pending | ShipmentStatus::Booked | ShipmentStatus::Cleared => {
            Ok(vec![cancellation_requested()])
        }
        ShipmentStatus::Dispatched | ShipmentStatus::Delivered => Ok(vec![cancellation_refused()]),
        ShipmentStatus::Unspecified | ShipmentStatus::Rejected => UNEXPECTED,
        _ => NOTHING,
    });
}

#[test]
fn a_cancelled_order_takes_back_what_has_not_left() {
    check(&cancel(), |status, _| match status {
        ShipmentStatus::Unspecified => Ok(vec![cancelled()]),
        ShipmentStatus::Pending | ShipmentStatus::Booked | ShipmentStatus::Cleared => {
            Ok(vec![cancellation_requested()])
        }
        ShipmentStatus::Dispatched | ShipmentStatus::Delivered => UNEXPECTED,
        _ => NOTHING,
    });
}

#[test]
fn a_cancellation_that_comes_first_is_answered_and_the_booking_that_comes_late_is_refused() {
    let first = given::<Shipment>([]).when(cancel()).then([cancelled()]);
    first.when(book()).then([]).when(book_of(0)).then([]).when(cancel()).then([]);
}

#[test]
fn what_an_operator_gives_up_is_rejected_and_asked_for_no_more() {
    let refuse = || Command::Refuse { order_id: order_id(), reason: "GIVEN_UP".to_owned() };
    let rejected = ShipmentRejected { order_id: order_id(), reason: "GIVEN_UP".to_owned() };
    check(&refuse(), |status, _| match status {
        ShipmentStatus::Unspecified => Ok(vec![rejected.clone().into()]),
        _ => NOTHING,
    });
    given::<Shipment>([]).when(refuse()).then([rejected.into()]).when(book()).then([]).when(cancel()).then([]);
}

#[test]
fn only_what_is_cleared_leaves() {
    check(&Command::Dispatch, |status, _| match status {
        ShipmentStatus::Cleared => Ok(vec![dispatched()]),
        ShipmentStatus::Dispatched | ShipmentStatus::Delivered => NOTHING,
        ShipmentStatus::Unspecified => Err("SHIPMENT_NOT_FOUND"),
        ShipmentStatus::Pending | ShipmentStatus::Booked => Err("NOT_CLEARED"),
        ShipmentStatus::Rejected => Err("ALREADY_REJECTED"),
        ShipmentStatus::Cancelling => Err("BEING_CANCELLED"),
        ShipmentStatus::Cancelled => Err("ALREADY_CANCELLED"),
    });
}

#[test]
fn only_what_has_left_arrives() {
    check(&Command::Deliver, |status, _| match status {
        ShipmentStatus::Dispatched => Ok(vec![delivered()]),
        ShipmentStatus::Delivered => NOTHING,
        ShipmentStatus::Unspecified => Err("SHIPMENT_NOT_FOUND"),
        _ => Err("NOT_DISPATCHED"),
    });
}

#[test]
fn a_booking_is_recorded_once_and_too_late_once_it_is_being_taken_back() {
    check(&record_booked(), |status, _| match status {
        ShipmentStatus::Pending => Ok(vec![booked()]),
        ShipmentStatus::Unspecified | ShipmentStatus::Rejected => UNEXPECTED,
        _ => NOTHING,
    });
}

#[test]
fn another_number_for_the_same_parcel_is_a_contradiction() {
    check(&booked_as("TW2"), |status, _| match status {
        ShipmentStatus::Pending => Ok(vec![ShipmentBooked { order_id: order_id(), tracking: "TW2".to_owned() }.into()]),
        ShipmentStatus::Cancelling | ShipmentStatus::Cancelled => NOTHING,
        _ => UNEXPECTED,
    });
}

#[test]
fn a_booking_without_a_number_of_its_own_is_taken_back_and_rejects_the_shipment() {
    let missing = Command::RecordBooked { tracking: None, is_anothers: false };
    let reused = Command::RecordBooked { tracking: Reference::read("TW1"), is_anothers: true };
    for (useless, mismatch) in [(missing, Mismatch::TrackingMissing), (reused, Mismatch::TrackingReused)] {
        let taken_back = ShipmentCancellationRequested { order_id: order_id(), mismatch: mismatch.into() };
        let reason = "CARRIER_MISMATCH".to_owned();
        given::<Shipment>([requested()])
            .when(useless.clone())
            .then([taken_back.into()])
            .when(useless)
            .then([])
            .when(cancel())
            .then([])
            .when(Command::RecordCancelled)
            .then([ShipmentRejected { order_id: order_id(), reason }.into()])
            .when(cancel())
            .then([]);
    }
}

#[test]
fn a_mismatch_that_only_a_later_build_knows_rejects_the_shipment_too() {
    let taken_back = ShipmentCancellationRequested { order_id: order_id(), mismatch: 9_999 };
    let reason = "CARRIER_MISMATCH".to_owned();
    given::<Shipment>([requested(), taken_back.into()]).when(Command::RecordCancelled).then([ShipmentRejected {
        order_id: order_id(),
        reason,
    }
    .into()]);
}

#[test]
fn the_carrier_refuses_only_what_it_has_not_taken() {
    check(&record_rejected(), |status, taken| match status {
        ShipmentStatus::Pending => Ok(vec![rejected()]),
        ShipmentStatus::Cancelling if !taken => Ok(vec![rejected()]),
        ShipmentStatus::Rejected => NOTHING,
        _ => UNEXPECTED,
    });
}

#[test]
fn only_what_is_being_cancelled_is_cancelled() {
    check(&Command::RecordCancelled, |status, _| match status {
        ShipmentStatus::Cancelling => Ok(vec![cancelled()]),
        ShipmentStatus::Cancelled => NOTHING,
        _ => UNEXPECTED,
    });
}

#[test]
fn a_shipment_goes_all_the_way() {
    given::<Shipment>([])
        .when(book())
        .then([requested()])
        .when(record_booked())
        .then([booked()])
        .when(Command::Clear)
        .then([cleared()])
        .when(Command::Dispatch)
        .then([dispatched()])
        .when(Command::RequestCancellation)
        .then([cancellation_refused()])
        .when(Command::Deliver)
        .then([delivered()]);
}

#[test]
fn the_recipient_is_shown_nowhere() {
    let (command, event) = (book(), requested());
    let shown = format!("{command:?} {event:?} {:?}", given::<Shipment>([event.clone()]).state());
    for secret in ["Customer", "example.com", "High Street", "Leeds", "LS1"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
