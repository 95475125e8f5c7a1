//! Charges, voids, refunds, statement.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::process::{Outside, charge, refund};

#[tokio::test]
async fn the_same_charge_sent_many_times_at_once_captures_once() {
    let outside = Outside::new();
    let request = charge("o1", "tok_ok");
    let answers = join_all((0..32).map(|_| outside.ok("/card/charges", &request))).await;
    for answer in &answers {
        assert_eq!(answer["status"], "captured");
        assert_eq!(answer, &answers[0]);
    }
    assert_eq!(outside.seen("/card/charges/charge%2Fo1").await, answers[0]);
    assert_eq!(outside.statement("o1").await, [("capture".into(), 1250)]);
}

#[tokio::test]
async fn a_key_used_again_with_another_content_is_refused() {
    let outside = Outside::new();
    outside.ok("/card/charges", &charge("o1", "tok_ok")).await;
    for (field, value) in [
        ("order_id", json!("o2")),
        ("amount_minor", json!(1)),
        ("currency", json!("EUR")),
        ("token", json!("tok_slow")),
    ] {
        let mut other = charge("o1", "tok_ok");
        other[field] = value;
        assert_eq!(outside.refused("/card/charges", &other, 409, "KEY_REUSED").await, "key");
    }
    outside.refused("/card/charges/charge%2Fo1/void", &json!({"order_id": "o2"}), 409, "KEY_REUSED").await;
    assert_eq!(outside.statement("o1").await, [("capture".into(), 1250)]);
}

#[tokio::test]
async fn the_token_decides() {
    let outside = Outside::new();
    for (token, reason) in
        [("tok_declined", "CARD_DECLINED"), ("tok_insufficient", "INSUFFICIENT_FUNDS"), ("tok_other", "UNKNOWN_TOKEN")]
    {
        let declined = json!({"status": "declined", "reason": reason});
        for _attempt in 0..2 {
            assert_eq!(outside.ok("/card/charges", &charge(token, token)).await, declined);
        }
        let void = outside.ok(&format!("/card/charges/charge%2F{token}/void"), &json!({"order_id": token})).await;
        assert_eq!(void, declined, "a declined charge has nothing to void");
        assert_eq!(outside.statement(token).await, [("decline".into(), 1250)]);
    }
}

#[tokio::test]
async fn some_tokens_take_something_else_than_was_asked_for() {
    let outside = Outside::new();
    for (token, minor, currency) in [
        ("tok_short", 1, "GBP"),
        ("tok_over", 1251, "GBP"),
        ("tok_zero", 0, "GBP"),
        ("tok_negative", -1250, "GBP"),
        ("tok_currency", 1250, "EUR"),
    ] {
        let answer = outside.ok("/card/charges", &charge(token, token)).await;
        assert_eq!((&answer["amount_minor"], &answer["currency"]), (&json!(minor), &json!(currency)), "{token}");
        let void = outside.ok(&format!("/card/charges/charge%2F{token}/void"), &json!({"order_id": token})).await;
        assert_eq!(void, answer, "{token}");
        assert_eq!(outside.statement(token).await, [("capture".into(), minor)]);
    }
    outside.refused("/card/refunds", &refund("tok_short", "refund/s", 2), 409, "EXCEEDS_CAPTURED").await;
    outside.ok("/card/refunds", &refund("tok_short", "refund/s", 1)).await;
    for order in ["o1", "o2"] {
        assert_eq!(outside.ok("/card/charges", &charge(order, "tok_same_id")).await["charge_id"], "ch_same");
    }
    assert_eq!(outside.ok("/card/charges", &charge("o3", "tok_no_id")).await["charge_id"], "");
    outside.ok("/card/charges", &charge("o4", "tok_refund_short")).await;
    let back = outside.ok("/card/refunds", &refund("o4", "refund/o4", 1250)).await;
    assert_eq!((&back["amount_minor"], &back["currency"]), (&json!(1249), &json!("GBP")));
    assert_eq!(outside.ok("/card/refunds", &refund("o4", "refund/o4", 1250)).await, back);
    let declined = outside.ok("/card/charges", &charge("o5", "tok_verbose")).await;
    assert!(declined["reason"].as_str().unwrap().len() > 4_000_000);
}

#[tokio::test]
async fn a_charge_voided_before_it_came_never_succeeds() {
    let outside = Outside::new();
    let void = json!({"order_id": "o1"});
    let voided = json!({"status": "voided"});
    assert_eq!(outside.ok("/card/charges/charge%2Fo1/void", &void).await, voided);
    assert_eq!(outside.ok("/card/charges", &charge("o1", "tok_ok")).await, voided);
    assert_eq!(outside.ok("/card/charges/charge%2Fo1/void", &void).await, voided);
    assert_eq!(outside.seen("/card/charges/charge%2Fo1").await, voided);
    assert_eq!(outside.statement("o1").await, [("void".into(), 0)]);
    outside.refused("/card/refunds", &refund("o1", "refund/o1", 1), 409, "EXCEEDS_CAPTURED").await;
}

#[tokio::test]
async fn a_void_of_a_captured_charge_says_so_and_changes_nothing() {
    let outside = Outside::new();
    let captured = outside.ok("/card/charges", &charge("o1", "tok_ok")).await;
    let void = outside.ok("/card/charges/charge%2Fo1/void", &json!({"order_id": "o1"})).await;
    assert_eq!(void, captured);
    assert_eq!((void["amount_minor"].as_i64(), void["currency"].as_str()), (Some(1250), Some("GBP")));
    assert_eq!(outside.statement("o1").await, [("capture".into(), 1250)]);
}

#[tokio::test]
async fn refunds_never_exceed_what_was_captured() {
    let outside = Outside::new();
    outside.refused("/card/refunds", &refund("o1", "refund/o1", 1), 404, "CHARGE_NOT_FOUND").await;
    outside.ok("/card/charges", &charge("o1", "tok_ok")).await;
    outside.refused("/card/refunds", &refund("o1", "refund/o1", 1251), 409, "EXCEEDS_CAPTURED").await;
    let first = outside.ok("/card/refunds", &refund("o1", "refund/o1", 1000)).await;
    assert_eq!(first["status"], "refunded");
    assert_eq!(outside.ok("/card/refunds", &refund("o1", "refund/o1", 1000)).await, first, "idempotent by key");
    outside.refused("/card/refunds", &refund("o1", "refund/o1", 250), 409, "KEY_REUSED").await;
    outside.refused("/card/refunds", &refund("o1", "refund/o1/2", 251), 409, "EXCEEDS_CAPTURED").await;
    outside.ok("/card/refunds", &refund("o1", "refund/o1/2", 250)).await;
    let mut foreign = refund("o1", "refund/o1/3", 1);
    foreign["currency"] = json!("EUR");
    outside.ok("/card/charges", &charge("o2", "tok_ok")).await;
    foreign["charge_key"] = json!("charge/o2");
    outside.refused("/card/refunds", &foreign, 409, "ORDER_MISMATCH").await;
    foreign["order_id"] = json!("o2");
    outside.refused("/card/refunds", &foreign, 409, "CURRENCY_MISMATCH").await;
    let expected = [("capture".into(), 1250), ("refund".into(), 1000), ("refund".into(), 250)];
    assert_eq!(outside.statement("o1").await, expected);
}

#[tokio::test]
async fn many_refunds_at_once_stay_within_what_was_captured() {
    let outside = Outside::new();
    outside.ok("/card/charges", &charge("o1", "tok_ok")).await;
    let requests: Vec<_> = (0..20).map(|n| refund("o1", &format!("refund/o1/{n}"), 400)).collect();
    let answers = join_all(requests.iter().map(|request| outside.post("/card/refunds", request))).await;
    assert_eq!(answers.iter().filter(|(status, _)| status.is_success()).count(), 3);
    assert_eq!(outside.statement("o1").await.len(), 4);
}

#[tokio::test]
async fn tok_lost_captures_without_an_answer_and_tells_the_retry() {
    let outside = Outside::new();
    let request = charge("o1", "tok_lost");
    let error = outside.attempt(Method::POST, "/card/charges", Some(&request)).await.expect_err("the answer is lost");
    assert!(!error.is_timeout(), "{error:?}");
    assert_eq!(outside.ok("/card/charges", &request).await["status"], "captured");
    assert_eq!(outside.statement("o1").await, [("capture".into(), 1250)]);
}

#[tokio::test]
async fn tok_timeout_never_answers_and_captures_nothing() {
    let outside = Outside::new();
    outside.silent("/card/charges", &charge("o1", "tok_timeout")).await;
    assert_eq!(outside.get("/card/charges/charge%2Fo1").await.0, 404);
    let void = outside.ok("/card/charges/charge%2Fo1/void", &json!({"order_id": "o1"})).await;
    assert_eq!(void["status"], "voided");
    assert_eq!(outside.ok("/card/charges", &charge("o1", "tok_timeout")).await["status"], "voided");
}

#[tokio::test]
async fn tok_slow_has_captured_before_it_answers() {
    let outside = Outside::new();
    let started = Instant::now();
    outside.silent("/card/charges", &charge("o1", "tok_slow")).await;
    assert_eq!(outside.seen("/card/charges/charge%2Fo1").await["status"], "captured", "though nobody waited");
    assert_eq!(outside.ok("/card/charges", &charge("o1", "tok_slow")).await["status"], "captured");
    assert!(started.elapsed() < Duration::from_secs(3), "the retry is answered at once");
    let started = Instant::now();
    outside.ok("/card/charges", &charge("o2", "tok_slow")).await;
    assert!(started.elapsed() >= Duration::from_secs(3));
}

#[tokio::test]
async fn tok_unavailable_is_refused_twice_and_then_captured() {
    let outside = Outside::new();
    let request = charge("o1", "tok_unavailable");
    for _attempt in 0..2 {
        outside.refused("/card/charges", &request, 503, "UNAVAILABLE").await;
        assert_eq!(outside.get("/card/charges/charge%2Fo1").await.0, 404);
    }
    assert_eq!(outside.ok("/card/charges", &request).await["status"], "captured");
    outside.refused("/card/charges", &charge("o2", "tok_unavailable"), 503, "UNAVAILABLE").await;
    let void = outside.ok("/card/charges/charge%2Fo2/void", &json!({"order_id": "o2"})).await;
    assert_eq!(void["status"], "voided");
    assert_eq!(outside.ok("/card/charges", &charge("o2", "tok_unavailable")).await["status"], "voided");
}
