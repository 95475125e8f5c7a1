//! Faults that are set.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::process::{Outside, booking, charge};

#[tokio::test]
async fn a_party_that_is_down_decides_nothing_and_the_others_are_not_disturbed() {
    let outside = Outside::new();
    outside.set_faults(&json!({"card": {"down": true}})).await;
    outside.refused("/card/charges", &charge("o1", "tok_ok"), 503, "DOWN").await;
    assert_eq!(outside.get("/card/charges/charge%2Fo1").await.0, 503);
    assert_eq!(outside.statement("o1").await, [], "the statement can always be fetched");
    outside.ok("/carrier/bookings", &booking("o1", "LS1 4AP")).await;
    assert_eq!(outside.seen("/faults").await["card"]["down"], true);
    let (status, cleared) = outside.attempt(Method::DELETE, "/faults", None).await.unwrap();
    assert_eq!((status.as_u16(), &cleared["card"]["down"]), (200, &json!(false)));
    assert_eq!(outside.ok("/card/charges", &charge("o1", "tok_ok")).await["status"], "captured");
}

#[tokio::test]
async fn an_error_comes_before_the_decision_and_a_lost_answer_after_it() {
    let outside = Outside::new();
    outside.set_faults(&json!({"card": {"error_rate": 1}})).await;
    outside.refused("/card/charges", &charge("o1", "tok_ok"), 503, "INJECTED").await;
    assert_eq!(outside.statement("o1").await, []);
    outside.set_faults(&json!({"card": {"lost_answer_rate": 1.0}})).await;
    let lost = outside.attempt(Method::POST, "/card/charges", Some(&charge("o1", "tok_ok"))).await;
    assert!(!lost.expect_err("an answer came").is_timeout());
    assert_eq!(outside.statement("o1").await, [("capture".into(), 1250)]);
}

#[tokio::test]
async fn latency_is_waited_out() {
    let outside = Outside::new();
    outside.set_faults(&json!({"carrier": {"latency_ms": 300}})).await;
    let started = Instant::now();
    outside.ok("/carrier/bookings", &booking("o1", "LS1 4AP")).await;
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults() {
    let outside = Outside::new();
    let mut runs = Vec::new();
    for run in 0..2 {
        outside.set_faults(&json!({"card": {"error_rate": 0.5}})).await;
        let mut fates = Vec::new();
        for call in 0..40 {
            let request = charge(&format!("o{run}-{call}"), "tok_ok");
            fates.push(outside.post("/card/charges", &request).await.0.as_u16());
        }
        let errors = fates.iter().filter(|status| **status == 503).count();
        assert!((8..=32).contains(&errors), "{errors} of 40 at a rate of one half");
        runs.push(fates);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn faults_out_of_range_are_refused_and_nothing_is_set() {
    let outside = Outside::new();
    for (faults, field) in [
        (json!({"card": {"error_rate": 1.5}}), "card.error_rate"),
        (json!({"mail": {"lost_answer_rate": -0.1}}), "mail.lost_answer_rate"),
        (json!({"carrier": {"latency_ms": 60_001}}), "carrier.latency_ms"),
        (json!({"carrier": {"latency": 1}}), "carrier.latency"),
    ] {
        let (status, answer): (_, Value) = outside.attempt(Method::PUT, "/faults", Some(&faults)).await.unwrap();
        assert_eq!((status.as_u16(), &answer["error"]["field"]), (400, &json!(field)), "{answer}");
    }
    assert_eq!(outside.seen("/faults").await["carrier"]["latency_ms"], 0);
}
