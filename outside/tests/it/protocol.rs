//! What every endpoint has in common: refusals that name the field, health, drain, discretion.

use serde_json::json;

use crate::process::{Outside, booking, charge};

#[tokio::test]
async fn mistakes_are_refused_and_name_the_field() {
    let outside = Outside::new();
    let with = |field: &str, value| {
        let mut request = charge("o1", "tok_ok");
        request[field] = value;
        request
    };
    for (request, reason, field) in [
        (with("amount_minor", json!(0)), "AMOUNT_NOT_POSITIVE", "amount_minor"),
        (with("amount_minor", json!(-5)), "AMOUNT_NOT_POSITIVE", "amount_minor"),
        (with("amount_minor", json!("12.50")), "INVALID_FIELD", "amount_minor"),
        (with("currency", json!("gbp")), "INVALID_CURRENCY", "currency"),
        (with("key", json!("k".repeat(201))), "TOO_LONG", "key"),
        (with("key", json!("")), "MISSING_FIELD", "key"),
        (with("cvv", json!("123")), "UNKNOWN_FIELD", "cvv"),
        (json!({"key": "k"}), "MISSING_FIELD", "order_id"),
    ] {
        assert_eq!(outside.refused("/card/charges", &request, 400, reason).await, field);
    }
    let mut nowhere = booking("o1", "LS1 4AP");
    nowhere["address"].as_object_mut().unwrap().remove("city");
    assert_eq!(outside.refused("/carrier/bookings", &nowhere, 400, "MISSING_FIELD").await, "address.city");
    let mut nothing = booking("o1", "LS1 4AP");
    nothing["parcels"][0]["quantity"] = json!(0);
    let field = outside.refused("/carrier/bookings", &nothing, 400, "QUANTITY_NOT_POSITIVE").await;
    assert_eq!(field, "parcels[0].quantity");
    outside.refused("/nowhere", &json!({}), 404, "NO_SUCH_PATH").await;
    outside.refused("/card/statement", &json!({}), 405, "METHOD_NOT_ALLOWED").await;
    let (status, answer) = outside.get("/card/statement?order=o1").await;
    assert_eq!((status.as_u16(), &answer["error"]["field"]), (400, &json!("order")));
    assert_eq!(outside.seen("/card/statement").await, json!({"entries": []}), "nothing was recorded");
}

#[tokio::test]
async fn sigterm_answers_what_is_decided_lets_go_of_what_is_held_and_exits_0() {
    let mut outside = Outside::new();
    assert_eq!(outside.seen("/health/live").await["status"], "live");
    assert_eq!(outside.seen("/health/ready").await["status"], "ready");
    let slow = charge("slow", "tok_slow");
    let held = charge("held", "tok_timeout");
    let slow = outside.attempt(reqwest::Method::POST, "/card/charges", Some(&slow));
    let held = outside.attempt(reqwest::Method::POST, "/card/charges", Some(&held));
    let stopping = async {
        while outside.statement("slow").await.is_empty() {
            tokio::task::yield_now().await;
        }
        outside.signal("TERM");
    };
    let (slow, held, ()) = tokio::join!(slow, held, stopping);
    assert_eq!(slow.unwrap().1["status"], "captured");
    assert!(!held.expect_err("an answer came").is_timeout());
    assert!(outside.ended().await.success());
}

#[tokio::test]
async fn nothing_personal_is_logged_or_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let mut outside = Outside::on(folder.path());
    outside.ok("/card/charges", &charge("o1", "tok_secret")).await;
    outside.ok("/carrier/bookings", &booking("o1", "LS1 4AP")).await;
    let mail = json!({"key": "m1", "to": "someone@example.com", "subject": "Hello", "body": "A. Customer"});
    outside.ok("/mail/messages", &mail).await;
    outside.seen("/mail/messages?to=someone@example.com").await;
    outside.signal("TERM");
    assert!(outside.ended().await.success());
    let log = outside.remaining_log();
    assert!(log.contains("/card/charges"), "requests are logged at debug: {log}");
    for secret in ["tok_secret", "1250", "A. Customer", "High Street", "LS1", "someone@"] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
    let journal = std::fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
    for secret in ["tok_secret", "High Street", "LS1"] {
        assert!(!journal.contains(secret), "{secret} is in the record: {journal}");
    }
}
