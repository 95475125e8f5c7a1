//! Bookings and what becomes of them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::process::{Outside, booking};

const BOOKINGS: &str = "/carrier/bookings";
const O1: &str = "/carrier/bookings/book%2Fo1";

async fn act(outside: &Outside, action: &str) -> (u16, Value) {
    let (status, answer) = outside.attempt(Method::POST, &format!("{O1}/{action}"), None).await.unwrap();
    (status.as_u16(), answer)
}

async fn cancel(outside: &Outside) -> Value {
    outside.ok(&format!("{O1}/cancel"), &json!({"order_id": "o1"})).await
}

#[tokio::test]
async fn a_booking_is_idempotent_and_goes_its_way() {
    let outside = Outside::new();
    let booked = outside.ok(BOOKINGS, &booking("o1", "LS1 4AP")).await;
    assert_eq!(booked["status"], "booked");
    assert_eq!(outside.ok(BOOKINGS, &booking("o1", "LS1 4AP")).await, booked);
    outside.refused(BOOKINGS, &booking("o1", "LS1 4AQ"), 409, "KEY_REUSED").await;
    assert_eq!(act(&outside, "deliver").await.0, 409);

    for _attempt in 0..2 {
        let dispatched = json!({"status": "dispatched", "tracking": booked["tracking"]});
        assert_eq!(act(&outside, "dispatch").await, (200, dispatched.clone()));
        assert_eq!(cancel(&outside).await, dispatched, "too late");
    }
    assert_eq!(outside.ok(BOOKINGS, &booking("o1", "LS1 4AP")).await, booked, "the answer to a key stays");
    for _attempt in 0..2 {
        assert_eq!(act(&outside, "deliver").await.1["status"], "delivered");
    }
    assert_eq!(cancel(&outside).await["status"], "dispatched");
    assert_eq!(outside.seen(O1).await["status"], "delivered");
    let statement = outside.seen("/carrier/statement").await;
    let line = &statement["bookings"][0];
    assert_eq!((&line["key"], &line["order_id"]), (&json!("book/o1"), &json!("o1")));
    assert_eq!((&line["status"], &line["tracking"]), (&json!("delivered"), &booked["tracking"]));
    assert!(line["at"].is_string() && statement["bookings"].as_array().unwrap().len() == 1);
}

#[tokio::test]
async fn nobody_delivers_to_some_postal_codes() {
    let outside = Outside::new();
    let rejected = json!({"status": "rejected", "reason": "UNDELIVERABLE_ADDRESS"});
    for (order, postal_code) in [("o1", "99999"), ("o2", "X1 2AB")] {
        assert_eq!(outside.ok(BOOKINGS, &booking(order, postal_code)).await, rejected);
    }
    assert_eq!(cancel(&outside).await, rejected);
    assert_eq!(act(&outside, "dispatch").await.0, 409);
    assert_eq!(outside.seen("/carrier/statement?order_id=o2").await["bookings"][0]["status"], "rejected");
}

#[tokio::test]
async fn a_booking_cancelled_before_it_came_stays_cancelled() {
    let outside = Outside::new();
    let cancelled = json!({"status": "cancelled"});
    assert_eq!(cancel(&outside).await, cancelled);
    assert_eq!(outside.ok(BOOKINGS, &booking("o1", "LS1 4AP")).await, cancelled);
    assert_eq!(cancel(&outside).await, cancelled);
    let (status, answer) = act(&outside, "dispatch").await;
    assert_eq!((status, &answer["error"]["reason"]), (409, &json!("BOOKING_CANCELLED")));
    outside.refused(&format!("{O1}/cancel"), &json!({"order_id": "o2"}), 409, "KEY_REUSED").await;
}

#[tokio::test]
async fn a_cancelled_booking_is_not_carried() {
    let outside = Outside::new();
    outside.ok(BOOKINGS, &booking("o1", "LS1 4AP")).await;
    assert_eq!(cancel(&outside).await["status"], "cancelled");
    assert_eq!(act(&outside, "dispatch").await.0, 409);
    assert_eq!(outside.ok(BOOKINGS, &booking("o1", "LS1 4AP")).await["status"], "cancelled");
}

#[tokio::test]
async fn the_silent_postal_code_is_never_answered_and_never_booked() {
    let outside = Outside::new();
    outside.silent(BOOKINGS, &booking("o1", "00TIMEOUT")).await;
    assert_eq!(outside.get(O1).await.0, 404);
    assert_eq!(act(&outside, "dispatch").await.0, 404);
    assert_eq!(cancel(&outside).await["status"], "cancelled");
    assert_eq!(outside.ok(BOOKINGS, &booking("o1", "00TIMEOUT")).await["status"], "cancelled");
}
