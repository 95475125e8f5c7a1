//! Every command in every status, and what it leads to.

use contracts::tradewind::payment::v1::PaymentStatus;
use tradewind_testing::scenario::given;

use super::*;
use crate::domain::Payment;

/// A payment that got into each status, on every way there is.
fn histories() -> Vec<(PaymentStatus, Vec<PaymentEvent>)> {
    use PaymentStatus::{Captured, Declined, Pending, Refunded, Refunding, Unspecified, Voided, Voiding};
    let after_all = || vec![requested(), void_requested(), captured(), refund_requested()];
    vec![
        (Unspecified, vec![]),
        (Pending, vec![requested()]),
        (Captured, vec![requested(), captured()]),
        (Declined, vec![requested(), declined()]),
        (Declined, vec![requested(), void_requested(), declined()]),
        (Voiding, vec![requested(), void_requested()]),
        (Voided, vec![requested(), void_requested(), voided()]),
        (Refunding, vec![requested(), captured(), refund_requested()]),
        (Refunding, after_all()),
        (Refunded, vec![requested(), captured(), refund_requested(), refunded()]),
        (Refunded, [after_all(), vec![refunded()]].concat()),
    ]
}

/// Events, or the reason of a refusal.
type Expected = Result<Vec<PaymentEvent>, &'static str>;

/// Checks one command in every status.
#[track_caller]
fn check(command: &Command, expected: impl Fn(PaymentStatus) -> Expected) {
    for (status, history) in histories() {
        assert_eq!(given::<Payment>(history.clone()).state().status(), status, "after {history:?}");
        let decided = given::<Payment>(history).when(command.clone());
        match expected(status) {
            Ok(events) => drop(decided.then(events)),
            Err(reason) => decided.then_refused(reason),
        }
    }
}

#[test]
fn a_charge_is_requested_once() {
    check(&charge(), |status| match status {
        PaymentStatus::Unspecified => Ok(vec![requested()]),
        _ => Ok(vec![]),
    });
}

#[test]
fn another_amount_for_the_same_order_is_refused() {
    check(&charge_of(2_001), |status| match status {
        PaymentStatus::Unspecified => {
            let amount = Some(ContractMoney { currency: "GBP".to_owned(), minor: 2_001 });
            Ok(vec![PaymentRequested { order_id: order_id(), amount, payment_token: "tok_ok".to_owned() }.into()])
        }
        _ => Err("PAYMENT_ALREADY_REQUESTED"),
    });
}

#[test]
fn nothing_or_less_cannot_be_charged() {
    check(&charge_of(0), |_| Err("AMOUNT_NOT_POSITIVE"));
    check(&charge_of(-1), |_| Err("AMOUNT_NOT_POSITIVE"));
}

#[test]
fn what_is_open_is_voided_and_what_was_taken_is_refunded() {
    check(&give_back(), |status| match status {
        PaymentStatus::Unspecified => Ok(vec![voided()]),
        PaymentStatus::Pending => Ok(vec![void_requested()]),
        PaymentStatus::Captured => Ok(vec![refund_requested()]),
        _ => Ok(vec![]),
    });
}

#[test]
fn a_void_that_comes_first_is_answered_and_the_charge_that_comes_late_is_refused() {
    let first = given::<Payment>([]).when(give_back()).then([voided()]);
    first.when(charge()).then([]).when(charge_of(0)).then([]).when(give_back()).then([]);
}

#[test]
fn what_an_operator_gives_up_is_declined_and_asked_for_no_more() {
    let refuse = || Command::Refuse { order_id: order_id(), reason: "CARD_DECLINED".to_owned() };
    check(&refuse(), |status| match status {
        PaymentStatus::Unspecified => Ok(vec![declined()]),
        _ => Ok(vec![]),
    });
    given::<Payment>([]).when(refuse()).then([declined()]).when(charge()).then([]).when(give_back()).then([]);
}

#[test]
fn a_capture_is_recorded_once_and_refunded_at_once_where_the_order_is_cancelled() {
    check(&record_captured(), |status| match status {
        PaymentStatus::Pending => Ok(vec![captured()]),
        PaymentStatus::Voiding => Ok(vec![captured(), refund_requested()]),
        PaymentStatus::Captured | PaymentStatus::Refunding | PaymentStatus::Refunded => Ok(vec![]),
        _ => Err("UNEXPECTED_ANSWER"),
    });
}

#[test]
fn a_second_charge_is_never_recorded() {
    let second = moved(2_000, "ch_2");
    check(&Command::RecordCaptured(second.clone()), |status| match status {
        PaymentStatus::Pending | PaymentStatus::Voiding => {
            let event = captured_as(&second, Mismatch::Unspecified);
            let refund = (status == PaymentStatus::Voiding).then(refund_requested);
            Ok(std::iter::once(event).chain(refund).collect())
        }
        _ => Err("UNEXPECTED_ANSWER"),
    });
}

#[test]
fn a_refusal_ends_an_open_payment() {
    check(&record_declined(), |status| match status {
        PaymentStatus::Pending | PaymentStatus::Voiding => Ok(vec![declined()]),
        PaymentStatus::Declined => Ok(vec![]),
        _ => Err("UNEXPECTED_ANSWER"),
    });
}

#[test]
fn only_what_is_being_voided_is_voided() {
    check(&Command::RecordVoided, |status| match status {
        PaymentStatus::Voiding => Ok(vec![voided()]),
        PaymentStatus::Voided => Ok(vec![]),
        _ => Err("UNEXPECTED_ANSWER"),
    });
}

#[test]
fn only_what_is_being_refunded_is_refunded() {
    check(&record_refunded(), |status| match status {
        PaymentStatus::Refunding => Ok(vec![refunded()]),
        PaymentStatus::Refunded => Ok(vec![]),
        _ => Err("UNEXPECTED_ANSWER"),
    });
}

#[test]
fn a_second_refund_is_never_recorded() {
    let second = moved(2_000, "re_2");
    check(&Command::RecordRefunded(second.clone()), |status| match status {
        PaymentStatus::Refunding => Ok(vec![refunded_as(&second, Mismatch::Unspecified)]),
        _ => Err("UNEXPECTED_ANSWER"),
    });
}

/// What a provider may say in place of 20.00 taken under an id of its own, and what that is called.
fn mismatches() -> [(Moved, Mismatch); 7] {
    let euros = ContractMoney { currency: "EUR".to_owned(), minor: 2_000 };
    [
        (moved(1, "ch_1"), Mismatch::Amount),
        (moved(2_001, "ch_1"), Mismatch::Amount),
        (moved(i64::MAX, "ch_1"), Mismatch::Amount),
        (Moved { amount: euros, ..moved(0, "ch_1") }, Mismatch::Currency),
        (moved(2_000, ""), Mismatch::IdMissing),
        (Moved { is_anothers: true, ..moved(2_000, "ch_1") }, Mismatch::IdReused),
        (Moved { is_anothers: true, ..moved(1, "ch_1") }, Mismatch::Amount),
    ]
}

#[test]
fn what_is_taken_and_was_not_asked_for_is_recorded_as_it_is_and_given_back_at_once() {
    for (taken, mismatch) in mismatches() {
        let all = [declined_for("PROVIDER_MISMATCH", mismatch), captured_as(&taken, mismatch), refund_of(&taken)];
        check(&Command::RecordCaptured(taken.clone()), |status| match status {
            PaymentStatus::Pending => Ok(all.to_vec()),
            PaymentStatus::Voiding => Ok(all[1..].to_vec()),
            PaymentStatus::Captured | PaymentStatus::Refunding | PaymentStatus::Refunded
                if taken.amount == moved(2_000, "").amount && taken.id() == "ch_1" =>
            {
                Ok(vec![])
            }
            _ => Err("UNEXPECTED_ANSWER"),
        });
        let back = Moved { id: Reference::read("re_1"), is_anothers: false, ..taken.clone() };
        given::<Payment>([requested()])
            .when(Command::RecordCaptured(taken.clone()))
            .then(all)
            .when(give_back())
            .then([])
            .when(Command::RecordRefunded(back.clone()))
            .then([refunded_as(&back, Mismatch::Unspecified)])
            .when(give_back())
            .then([]);
    }
}

#[test]
fn nothing_taken_or_less_is_a_decline_with_a_reason_of_its_own() {
    for minor in [0, -1, -2_000, i64::MIN] {
        check(&Command::RecordCaptured(moved(minor, "ch_1")), |status| match status {
            PaymentStatus::Pending | PaymentStatus::Voiding => {
                Ok(vec![declined_for("PROVIDER_MISMATCH", Mismatch::Unspecified)])
            }
            PaymentStatus::Declined => Ok(vec![]),
            _ => Err("UNEXPECTED_ANSWER"),
        });
    }
}

#[test]
fn what_comes_back_is_recorded_as_it_is_and_nothing_is_no_refund() {
    for (back, mismatch) in mismatches() {
        check(&Command::RecordRefunded(back.clone()), |status| match status {
            PaymentStatus::Refunding => Ok(vec![refunded_as(&back, mismatch)]),
            _ => Err("UNEXPECTED_ANSWER"),
        });
    }
    check(&Command::RecordRefunded(moved(0, "re_2")), |_| Err("UNEXPECTED_ANSWER"));
}

#[test]
fn a_payment_goes_the_long_way_round() {
    given::<Payment>([])
        .when(charge())
        .then([requested()])
        .when(give_back())
        .then([void_requested()])
        .when(record_captured())
        .then([captured(), refund_requested()])
        .when(record_refunded())
        .then([refunded()])
        .when(give_back())
        .then([]);
}

#[test]
fn the_token_is_shown_nowhere() {
    let command = charge();
    let event = requested();
    let payment = given::<Payment>([requested()]).state();
    let shown = format!("{command:?} {event:?} {payment:?}");
    assert!(!shown.contains("tok_ok"), "{shown}");
}

#[test]
fn a_mismatch_that_only_a_later_build_knows_is_kept_and_what_was_taken_goes_back() {
    let taken = PaymentCaptured {
        order_id: order_id(),
        amount: Some(moved(2_000, "ch_1").amount),
        charge_id: "ch_1".to_owned(),
        mismatch: 9_999,
    };
    let payment = given::<Payment>([requested(), taken.into()]).when(give_back()).then([refund_requested()]).state();
    assert_eq!((payment.status(), payment.mismatch), (PaymentStatus::Refunding, 9_999));
}
