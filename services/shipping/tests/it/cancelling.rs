//! A parcel never both leaves and is cancelled, whoever is faster.

use std::time::Duration;

use contracts::tradewind::shipping::v1::ShipmentStatus;
use futures::future::join_all;
use serde_json::json;
use tonic::Code;
use tradewind_mesh::reason;
use tradewind_testing::{Database, block_on, both_stores, eventually};

use crate::surroundings::{DEADLINE, Surroundings};

#[test]
fn a_booking_that_is_no_use_is_taken_back_and_no_text_of_the_carriers_is_kept() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let operator = around.start().await;
        let first = around.order_to("00SAMENUMBER").await;
        assert_eq!(operator.sees(&first, ShipmentStatus::Booked).await.tracking, "TWSAME");
        for (postal_code, reason, carrier) in [
            ("00NONUMBER", "CARRIER_MISMATCH", "cancelled"),
            ("00SAMENUMBER", "CARRIER_MISMATCH", "cancelled"),
            ("00VERBOSE", "UNNAMED", "rejected"),
            ("99999", "UNDELIVERABLE_ADDRESS", "rejected"),
        ] {
            let order = around.order_to(postal_code).await;
            let shipment = operator.sees(&order, ShipmentStatus::Rejected).await;
            assert_eq!((shipment.rejection_reason.as_str(), shipment.tracking.as_str()), (reason, ""), "{postal_code}");
            around.carrier_shows(&order, carrier).await;
            around.cancel(&order).await;
        }
        around.carrier_shows(&first, "booked").await;
    });
}

both_stores! {
    async fn a_confirmed_order_can_be_cancelled_until_its_parcel_leaves(database: Database) {
        let around = Surroundings::open(database).await;
        let operator = around.start().await;
        let (early, late) = (around.cleared(&operator).await, around.cleared(&operator).await);
        operator.dispatch(&late).await.unwrap();
        around.request_cancellation(&early).await;
        around.request_cancellation(&late).await;

        operator.sees(&early, ShipmentStatus::Cancelled).await;
        around.carrier_shows(&early, "cancelled").await;
        let refused = operator.dispatch(&early).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::FailedPrecondition, Some("ALREADY_CANCELLED")));
        // Ordering cancels the order once it hears that.
        around.cancel(&early).await;

        eventually(DEADLINE, "the request is refused", async || operator.refusals(&late).await == 1).await;
        let next = around.cleared(&operator).await;
        assert_eq!(operator.refusals(&late).await, 1, "one answer to one request");
        assert_eq!(operator.get(&late).await.unwrap().status(), ShipmentStatus::Dispatched);
        assert_eq!(operator.get(&early).await.unwrap().status(), ShipmentStatus::Cancelled);
        assert_eq!(operator.get(&next).await.unwrap().status(), ShipmentStatus::Cleared);
        operator.stop().await;
    }

    async fn dispatches_and_cancellations_that_meet_have_one_winner(database: Database) {
        let around = Surroundings::open(database).await;
        let operator = around.start().await;
        let mut orders = Vec::new();
        for _ in 0..12 {
            orders.push(around.order().await);
        }
        for order in &orders {
            operator.sees(order, ShipmentStatus::Booked).await;
            around.confirm(order).await;
        }
        for order in &orders {
            operator.sees(order, ShipmentStatus::Cleared).await;
        }
        // The request travels through a log and the broker: dispatched at once, every parcel would be faster.
        let meeting = (0_u64..).zip(&orders).map(async |(place, order)| {
            let dispatching = async {
                tokio::time::sleep(Duration::from_millis(place * 10)).await;
                operator.dispatch(order).await
            };
            let (_, dispatched) = futures::join!(around.request_cancellation(order), dispatching);
            (order, dispatched)
        });
        for (order, dispatched) in join_all(meeting).await {
            match dispatched {
                Ok(_) => {
                    eventually(DEADLINE, "the request is refused", async || operator.refusals(order).await == 1).await;
                    assert_eq!(operator.get(order).await.unwrap().status(), ShipmentStatus::Dispatched);
                    around.carrier_shows(order, "dispatched").await;
                }
                Err(refused) => {
                    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
                    operator.sees(order, ShipmentStatus::Cancelled).await;
                    assert_eq!(operator.refusals(order).await, 0);
                    around.carrier_shows(order, "cancelled").await;
                }
            }
        }
        operator.stop().await;
    }
}

#[test]
fn an_order_that_was_never_paid_has_nothing_to_take_back() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let operator = around.start().await;
        let unpaid = "0190163d-8694-739b-aea5-966c26f8ad91";
        around.cancel(unpaid).await;
        let next = around.order().await;
        operator.sees(&next, ShipmentStatus::Booked).await;
        assert_eq!(operator.get(unpaid).await.unwrap().status(), ShipmentStatus::Cancelled);
        assert!(around.carrier.statement(unpaid).await.is_empty());
    });
}

#[test]
fn a_carrier_that_never_answers_carries_nothing_once_the_order_is_cancelled() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let operator = around.start().await;
        let order = around.order_to("00TIMEOUT").await;
        operator.sees(&order, ShipmentStatus::Pending).await;
        around.cancel(&order).await;
        operator.sees(&order, ShipmentStatus::Cancelled).await;
        around.carrier_shows(&order, "cancelled").await;
    });
}

#[test]
fn an_order_cancelled_before_anybody_looked_is_never_carried() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let order = around.order().await;
        around.cancel(&order).await;
        let operator = around.start().await;
        operator.sees(&order, ShipmentStatus::Cancelled).await;
        around.carrier_shows(&order, "cancelled").await;
    });
}

#[test]
fn cancellations_wait_for_a_carrier_that_is_away_and_disturbed() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let operator = around.start().await;
        let booked = around.cleared(&operator).await;
        around.carrier.disturb(json!({ "down": true })).await;
        let open = around.order().await;
        operator.sees(&open, ShipmentStatus::Pending).await;
        around.request_cancellation(&booked).await;
        around.cancel(&open).await;
        for order in [&booked, &open] {
            operator.sees(order, ShipmentStatus::Cancelling).await;
            let refused = operator.dispatch(order).await.unwrap_err();
            assert_eq!(reason(&refused).as_deref(), Some("BEING_CANCELLED"));
        }
        around.carrier.disturb(json!({ "lost_answer_rate": 0.5 })).await;
        for order in [&booked, &open] {
            operator.sees(order, ShipmentStatus::Cancelled).await;
            around.carrier_shows(order, "cancelled").await;
        }
    });
}

/// The answer settles nothing, for nobody here has decided it; the order's end does.
#[test]
fn a_booking_that_somebody_else_took_back_stays_open_until_the_order_ends() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let order = around.order().await;
        around.carrier.cancel(&order).await;
        let operator = around.start().await;
        operator.sees(&order, ShipmentStatus::Pending).await;
        let next = around.order().await;
        operator.sees(&next, ShipmentStatus::Booked).await;
        assert_eq!(operator.get(&order).await.unwrap().status(), ShipmentStatus::Pending);
        around.cancel(&order).await;
        operator.sees(&order, ShipmentStatus::Cancelled).await;
    });
}
