//! The record: what was answered is there after a kill; damage is told apart from an interrupted write.

use std::fs::{self, OpenOptions};
use std::io::Write;

use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::json;

use crate::process::{Outside, booking, charge, command, refund};

#[tokio::test]
async fn everything_answered_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut outside = Outside::on(folder.path());
    let captured = outside.ok("/card/charges", &charge("o1", "tok_ok")).await;
    outside.ok("/card/refunds", &refund("o1", "refund/o1", 1000)).await;
    outside.ok("/card/charges", &charge("o2", "tok_declined")).await;
    outside.ok("/card/charges/charge%2Fo3/void", &json!({"order_id": "o3"})).await;
    outside.refused("/card/charges", &charge("o4", "tok_unavailable"), 503, "UNAVAILABLE").await;
    outside.silent("/card/charges", &charge("o5", "tok_slow")).await;
    let booked = outside.ok("/carrier/bookings", &booking("o1", "LS1 4AP")).await;
    outside.ok("/carrier/bookings/book%2Fo1/dispatch", &json!({})).await;
    outside.ok("/carrier/bookings/book%2Fo2/cancel", &json!({"order_id": "o2"})).await;
    outside.ok("/mail/messages", &json!({"key": "m", "to": "a@example.com", "subject": "s", "body": "b"})).await;
    let paths = ["/card/statement", "/carrier/statement", "/mail/messages"];
    let mut before = Vec::new();
    for path in paths {
        before.push(outside.seen(path).await);
    }
    outside.kill();

    let outside = Outside::on(folder.path());
    for (path, before) in paths.into_iter().zip(before) {
        assert_eq!(outside.seen(path).await, before);
    }
    assert_eq!(outside.ok("/card/charges", &charge("o1", "tok_ok")).await, captured);
    outside.refused("/card/charges", &charge("o1", "tok_slow"), 409, "KEY_REUSED").await;
    outside.refused("/card/refunds", &refund("o1", "refund/o1/2", 251), 409, "EXCEEDS_CAPTURED").await;
    outside.ok("/card/refunds", &refund("o1", "refund/o1", 1000)).await;
    assert_eq!(outside.ok("/card/charges", &charge("o3", "tok_ok")).await["status"], "voided");
    outside.refused("/card/charges", &charge("o4", "tok_unavailable"), 503, "UNAVAILABLE").await;
    assert_eq!(outside.ok("/card/charges", &charge("o4", "tok_unavailable")).await["status"], "captured");
    assert_eq!(outside.ok("/card/charges", &charge("o5", "tok_slow")).await["status"], "captured");
    assert_eq!(outside.ok("/carrier/bookings", &booking("o1", "LS1 4AP")).await, booked);
    assert_eq!(outside.ok("/carrier/bookings", &booking("o2", "LS1 4AP")).await["status"], "cancelled");
}

#[tokio::test]
async fn every_answer_given_before_a_kill_under_load_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut outside = Outside::on(folder.path());
    let mut answered = Vec::new();
    {
        let calls = stream::iter(0..3000).map(|n| {
            let outside = &outside;
            async move {
                let request = charge(&format!("o{n}"), "tok_ok");
                (n, outside.attempt(Method::POST, "/card/charges", Some(&request)).await)
            }
        });
        let mut calls = Box::pin(calls.buffer_unordered(64));
        while let Some((n, answer)) = calls.next().await {
            let Ok((_, answer)) = answer else { continue };
            answered.push((n, answer));
            if answered.len() == 1000 {
                outside.signal("KILL");
            }
        }
    }
    assert!((1000..3000).contains(&answered.len()), "{} answers", answered.len());
    outside.ended().await;
    let outside = Outside::on(folder.path());
    for (n, answer) in answered {
        assert_eq!(outside.seen(&format!("/card/charges/charge%2Fo{n}")).await, answer);
    }
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.jsonl");
    let mut outside = Outside::on(folder.path());
    outside.ok("/card/charges", &charge("o1", "tok_ok")).await;
    outside.kill();
    let whole = fs::read(&journal).unwrap();
    // Half a character at the end: what was torn need not even be text.
    OpenOptions::new()
        .append(true)
        .open(&journal)
        .unwrap()
        .write_all(b"{\"at\":\"2011-12-09T12:50:00Z\",\"fact\":{\"c\xc3")
        .unwrap();

    let mut outside = Outside::on(folder.path());
    assert_eq!(fs::read(&journal).unwrap(), whole);
    assert_eq!(outside.statement("o1").await, [("capture".into(), 1250)]);
    outside.ok("/card/charges", &charge("o2", "tok_ok")).await;
    outside.kill();
    let outside = Outside::on(folder.path());
    assert_eq!(outside.statement("o2").await, [("capture".into(), 1250)]);
}

#[tokio::test]
async fn a_corrupt_line_in_the_middle_refuses_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.jsonl");
    let mut outside = Outside::on(folder.path());
    for order in ["o1", "o2", "o3"] {
        outside.ok("/card/charges", &charge(order, "tok_ok")).await;
    }
    outside.kill();
    let corrupt = fs::read_to_string(&journal).unwrap().replacen("\"order_id\":\"o2\"", "\"order_id\":o2", 1);
    fs::write(&journal, &corrupt).unwrap();
    let output = command(folder.path()).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(message.contains("corrupt at line 2"), "{message}");
    assert_eq!(fs::read_to_string(&journal).unwrap(), corrupt, "the evidence stays");
}

#[tokio::test]
async fn a_record_in_use_is_not_shared() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Outside::on(folder.path());
    let output = command(folder.path()).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("in use by another process"));
}
