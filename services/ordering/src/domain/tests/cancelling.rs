use contracts::tradewind::ordering::v1::{OrderStatus, ShortLine};
use tradewind_testing::scenario::given;

use super::*;
use crate::domain::{Order, Reply};

use CancellationReason::{Customer, Deadline, OutOfStock, PaymentDeclined, PaymentMismatch, ShipmentRejected};

fn confirmed_order() -> Vec<OrderEvent> {
    vec![placed(), stock_confirmed(), paid(), confirmed()]
}

fn asked_to_cancel() -> Vec<OrderEvent> {
    [confirmed_order(), vec![cancellation_requested()]].concat()
}

#[test]
fn an_order_short_of_stock_is_cancelled_and_owed_nothing() {
    let short_lines = vec![ShortLine { sku: "SKU-TEA".to_owned(), requested: 2, available: 1 }];
    let cancelled = OrderCancelled {
        order_id: order_id(),
        reason: OutOfStock.into(),
        detail: "1 of 2 lines are short".to_owned(),
        short_lines: short_lines.clone(),
        ..OrderCancelled::default()
    };
    let order = given::<Order>([placed()])
        .when(Command::RejectStock { short_lines, reason: String::new() })
        .then([cancelled.into(), closed(OutOfStock, None)])
        .state();
    assert_eq!(order.status(), OrderStatus::Cancelled);
}

#[test]
fn a_declined_payment_owes_only_the_stock() {
    let cancelled = OrderCancelled {
        order_id: order_id(),
        reason: PaymentDeclined.into(),
        detail: "CARD_DECLINED".to_owned(),
        ..OrderCancelled::default()
    };
    given::<Order>([placed(), stock_confirmed()])
        .when(Command::DeclinePayment { reason: "CARD_DECLINED".to_owned() })
        .then([cancelled.into()])
        .when(Command::RecordRelease)
        .then([closed(PaymentDeclined, None)]);
}

#[test]
fn an_order_that_was_not_paid_as_it_was_asked_is_cancelled_and_owed_what_was_taken() {
    let cancelled = OrderCancelled {
        order_id: order_id(),
        reason: PaymentMismatch.into(),
        detail: "PROVIDER_MISMATCH".to_owned(),
        ..OrderCancelled::default()
    };
    let euro = Some(ContractMoney { currency: "EUR".to_owned(), minor: 1 });
    given::<Order>([placed(), stock_confirmed()])
        .when(Command::RefusePayment)
        .then([cancelled.into()])
        .when(Command::RefusePayment)
        .then([])
        .when(Command::RecordRelease)
        .then([compensated(Compensation::Stock, None)])
        .when(Command::RecordRefund { amount: euro.clone() })
        .then([closed(PaymentMismatch, euro)]);
    given::<Order>([placed()]).when(Command::RefusePayment).then_refused("UNEXPECTED_REPLY");
}

#[test]
fn a_capture_is_a_payment_only_where_nothing_about_it_differs() {
    use contracts::tradewind::payment::v1::{PaymentCaptured, PaymentDeclined};
    for (mismatch, command) in [(0, Command::RecordPayment), (1, Command::RefusePayment), (99, Command::RefusePayment)]
    {
        let captured = PaymentCaptured { order_id: order_id(), mismatch, ..PaymentCaptured::default() };
        assert_eq!(captured.heard(), (ID, command));
    }
    let reason = "PROVIDER_MISMATCH".to_owned();
    for (mismatch, command) in [
        (0, Command::DeclinePayment { reason: reason.clone() }),
        (1, Command::RefusePayment),
        (99, Command::RefusePayment),
    ] {
        let declined = PaymentDeclined { order_id: order_id(), reason: reason.clone(), mismatch };
        assert_eq!(declined.heard(), (ID, command));
    }
}

#[test]
fn a_rejected_shipment_owes_stock_and_money() {
    let cancelled = OrderCancelled {
        order_id: order_id(),
        reason: ShipmentRejected.into(),
        detail: "UNDELIVERABLE_ADDRESS".to_owned(),
        ..OrderCancelled::default()
    };
    given::<Order>([placed(), stock_confirmed(), paid()])
        .when(Command::RejectShipment { reason: "UNDELIVERABLE_ADDRESS".to_owned() })
        .then([cancelled.into()])
        .when(refund())
        .then([compensated(Compensation::Payment, Some(paid_back(2_000)))])
        .when(Command::RecordRelease)
        .then([closed(ShipmentRejected, Some(paid_back(2_000)))]);
}

#[test]
fn an_undecided_order_is_cancelled_by_the_customer_or_by_its_deadline() {
    for events in [vec![placed()], vec![placed(), stock_confirmed()], vec![placed(), stock_confirmed(), paid()]] {
        given::<Order>(events.clone()).when(Command::Cancel).then([cancelled(Customer)]).when(Command::Cancel).then([]);
        given::<Order>(events).when(Command::Expire).then([cancelled(Deadline)]).when(Command::Expire).then([]);
    }
}

#[test]
fn a_pending_order_closes_with_whatever_inventory_answers() {
    let order = || given::<Order>([placed(), cancelled(Customer)]);
    order().when(Command::RecordRelease).then([closed(Customer, None)]);
    order()
        .when(Command::RejectStock { short_lines: Vec::new(), reason: String::new() })
        .then([closed(Customer, None)]);
}

#[test]
fn an_order_waiting_for_its_payment_closes_with_stock_and_payment_in_any_order() {
    let order = || given::<Order>([placed(), stock_confirmed(), cancelled(Deadline)]);
    let stock_given_back = || order().when(Command::RecordRelease).then([compensated(Compensation::Stock, None)]);
    stock_given_back().when(Command::RecordVoid).then([closed(Deadline, None)]);
    stock_given_back().when(refund()).then([closed(Deadline, Some(paid_back(2_000)))]);
    stock_given_back().when(Command::DeclinePayment { reason: String::new() }).then([closed(Deadline, None)]);
    order()
        .when(Command::RecordVoid)
        .then([compensated(Compensation::Payment, None)])
        .when(Command::RecordRelease)
        .then([closed(Deadline, None)]);
}

#[test]
fn a_paid_order_waits_for_all_three() {
    let order = given::<Order>([placed(), stock_confirmed(), paid(), cancelled(Customer)])
        .when(refund())
        .then([compensated(Compensation::Payment, Some(paid_back(2_000)))])
        .when(Command::RejectShipment { reason: String::new() })
        .then([compensated(Compensation::Shipment, None)])
        .when(Command::RecordRelease)
        .then([closed(Customer, Some(paid_back(2_000)))])
        .state();
    assert_eq!((order.status(), order.refunded.clone()), (OrderStatus::Cancelled, Some(paid_back(2_000))));
    assert!(order.is_settled());
}

#[test]
fn a_debt_is_settled_once() {
    given::<Order>([placed(), stock_confirmed(), cancelled(Customer)])
        .when(Command::RecordRelease)
        .then([compensated(Compensation::Stock, None)])
        .when(Command::RecordRelease)
        .then([])
        .when(Command::RecordVoid)
        .then([closed(Customer, None)])
        .when(Command::RecordVoid)
        .then([]);
}

#[test]
fn a_reply_that_comes_after_the_cancellation_changes_nothing() {
    given::<Order>([placed(), cancelled(Customer)]).when(Command::ConfirmStock).then([]);
    given::<Order>([placed(), stock_confirmed(), cancelled(Customer)]).when(Command::RecordPayment).then([]);
    given::<Order>([placed(), stock_confirmed(), paid(), cancelled(Customer)])
        .when(Command::ConfirmShipment { tracking: "T-1".to_owned() })
        .then([]);
}

#[test]
fn what_was_never_asked_for_is_not_owed() {
    given::<Order>([placed(), cancelled(Customer)])
        .when(Command::RecordVoid)
        .then([])
        .when(Command::RecordShipmentCancelled)
        .then([]);
}

#[test]
fn cancelling_a_confirmed_order_is_asked_of_shipping_once() {
    given::<Order>(confirmed_order())
        .when(Command::Cancel)
        .then([cancellation_requested()])
        .when(Command::Cancel)
        .then([]);
}

#[test]
fn when_shipping_agrees_the_order_waits_for_stock_and_money() {
    given::<Order>(asked_to_cancel())
        .when(Command::RecordShipmentCancelled)
        .then([cancelled(Customer)])
        .when(Command::RecordShipmentCancelled)
        .then([])
        .when(Command::RecordRelease)
        .then([compensated(Compensation::Stock, None)])
        .when(refund())
        .then([closed(Customer, Some(paid_back(2_000)))]);
}

#[test]
fn when_shipping_refuses_the_order_stays_as_it_was() {
    let order = given::<Order>(asked_to_cancel())
        .when(Command::RefuseCancellation)
        .then([cancellation_refused()])
        .when(Command::RefuseCancellation)
        .then([])
        .state();
    assert_eq!((order.status(), order.cancellation_requested), (OrderStatus::Confirmed, false));
}

#[test]
fn the_refusal_and_the_dispatch_may_come_in_any_order() {
    let ship = || Command::Ship { tracking: "T-1".to_owned() };
    let one = given::<Order>(asked_to_cancel())
        .when(ship())
        .then([shipped()])
        .when(Command::RefuseCancellation)
        .then([cancellation_refused()])
        .state();
    let other = given::<Order>(asked_to_cancel())
        .when(Command::RefuseCancellation)
        .then([cancellation_refused()])
        .when(ship())
        .then([shipped()])
        .state();
    for order in [one, other] {
        assert_eq!((order.status(), order.cancellation_requested), (OrderStatus::Shipped, false));
    }
}

#[test]
fn what_has_left_cannot_be_cancelled() {
    let refused =
        |events: Vec<OrderEvent>| given::<Order>(events).when(Command::Cancel).then_refused("ALREADY_SHIPPED");
    refused([confirmed_order(), vec![shipped()]].concat());
    refused([confirmed_order(), vec![shipped(), delivered()]].concat());
    refused([asked_to_cancel(), vec![cancellation_refused()]].concat());
}

#[test]
fn a_refusal_that_comes_after_delivery_changes_nothing() {
    let events = [asked_to_cancel(), vec![shipped(), delivered()]].concat();
    given::<Order>(events).when(Command::RefuseCancellation).then([]);
}

/// A build before reads what a later one has written, while both are about and after the later one is gone.
#[test]
fn a_reason_that_only_a_later_build_knows_is_passed_on_and_owes_everything() {
    let later = 9_999;
    let cancelled = OrderCancelled { order_id: order_id(), reason: later, ..OrderCancelled::default() };
    let closed = OrderClosed {
        order_id: order_id(),
        recipient: Some(recipient()),
        reason: later,
        refunded: Some(paid_back(2_000)),
        ..OrderClosed::default()
    };
    given::<Order>([placed(), stock_confirmed(), paid(), cancelled.into()])
        .when(Command::RecordRelease)
        .then([compensated(Compensation::Stock, None)])
        .when(Command::RecordShipmentCancelled)
        .then([compensated(Compensation::Shipment, None)])
        .when(refund())
        .then([closed.into()]);
}

#[test]
fn what_only_a_later_build_owes_settles_nothing_that_this_one_does() {
    let returned = OrderCompensated { order_id: order_id(), compensation: 9_999, refunded: None };
    let order = given::<Order>([placed(), cancelled(Customer), returned.into()])
        .when(Command::RecordRelease)
        .then([closed(Customer, None)])
        .state();
    assert_eq!(order.status(), OrderStatus::Cancelled);
}
