use contracts::tradewind::ordering::v1::OrderStatus;
use tradewind_testing::scenario::given;

use super::*;
use crate::domain::Order;

fn tracking() -> String {
    "T-1".to_owned()
}

#[test]
fn each_reply_that_was_waited_for_moves_the_order_on() {
    let order = given::<Order>([placed()])
        .when(Command::ConfirmStock)
        .then([stock_confirmed()])
        .when(Command::RecordPayment)
        .then([paid()])
        .when(Command::ConfirmShipment { tracking: tracking() })
        .then([confirmed()])
        .when(Command::Ship { tracking: tracking() })
        .then([shipped()])
        .when(Command::Deliver)
        .then([delivered()])
        .state();
    assert_eq!(order.status(), OrderStatus::Delivered);
    assert_eq!(order.tracking, "T-1");
}

#[test]
fn a_reply_heard_before_changes_nothing() {
    let order = || given::<Order>([placed(), stock_confirmed(), paid(), confirmed()]);
    order().when(Command::ConfirmStock).then([]);
    order().when(Command::RecordPayment).then([]);
    order().when(Command::ConfirmShipment { tracking: tracking() }).then([]);
    given::<Order>([placed(), stock_confirmed(), paid(), confirmed(), shipped()])
        .when(Command::Ship { tracking: tracking() })
        .then([])
        .when(Command::Deliver)
        .then([delivered()])
        .when(Command::Deliver)
        .then([]);
}

#[test]
fn a_reply_to_what_was_never_asked_is_refused() {
    let refused = |events: &[OrderEvent], command| {
        given::<Order>(events.iter().cloned()).when(command).then_refused("UNEXPECTED_REPLY");
    };
    refused(&[placed()], Command::RecordPayment);
    refused(&[placed()], Command::RecordRelease);
    refused(&[placed()], Command::DeclinePayment { reason: String::new() });
    refused(&[placed(), stock_confirmed()], Command::ConfirmShipment { tracking: tracking() });
    refused(&[placed(), stock_confirmed()], Command::RejectStock { short_lines: Vec::new(), reason: String::new() });
    refused(&[placed(), stock_confirmed(), paid()], refund());
    refused(&[placed(), stock_confirmed(), paid(), confirmed()], Command::RecordShipmentCancelled);
    refused(&[placed(), stock_confirmed(), paid(), confirmed()], Command::Deliver);
    refused(&[placed(), cancelled(CancellationReason::Deadline)], Command::Ship { tracking: tracking() });
}

#[test]
fn the_deadline_of_a_confirmed_order_changes_nothing() {
    for events in [
        vec![placed(), stock_confirmed(), paid(), confirmed()],
        vec![placed(), stock_confirmed(), paid(), confirmed(), shipped()],
        vec![placed(), stock_confirmed(), paid(), confirmed(), shipped(), delivered()],
    ] {
        given::<Order>(events).when(Command::Expire).then([]);
    }
}

#[test]
fn an_order_is_settled_once_nothing_more_is_to_be_waited_for() {
    let settled = |events: &[OrderEvent]| given::<Order>(events.iter().cloned()).state().is_settled();
    let to_confirmed = [placed(), stock_confirmed(), paid(), confirmed()];
    assert!(!settled(&to_confirmed[..3]));
    assert!(settled(&to_confirmed));
    let asked = [&to_confirmed[..], &[cancellation_requested()]].concat();
    assert!(!settled(&asked));
    assert!(!settled(&[&asked[..], &[shipped()]].concat()));
    assert!(settled(&[&asked[..], &[shipped(), cancellation_refused()]].concat()));
    assert!(!settled(&[&asked[..], &[cancelled(CancellationReason::Customer)]].concat()));
}
