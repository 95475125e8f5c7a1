//! The mail sink.

use serde_json::{Value, json};

use crate::process::Outside;

fn message(key: &str, to: &str) -> Value {
    json!({"key": key, "to": to, "subject": "Your order", "body": "It is on its way.\n"})
}

#[tokio::test]
async fn a_message_is_taken_once() {
    let outside = Outside::new();
    for _attempt in 0..2 {
        let answer = outside.ok("/mail/messages", &message("confirmed/o1", "a+b@example.com")).await;
        assert_eq!(answer, json!({"status": "accepted"}));
    }
    outside.ok("/mail/messages", &message("confirmed/o2", "c@example.com")).await;
    outside.refused("/mail/messages", &message("confirmed/o1", "c@example.com"), 409, "KEY_REUSED").await;
    let all = outside.seen("/mail/messages").await;
    assert_eq!(all["messages"].as_array().unwrap().len(), 2);
    let mine = outside.seen("/mail/messages?to=a%2Bb@example.com").await;
    assert_eq!(mine["messages"].as_array().unwrap().len(), 1);
    assert_eq!(mine["messages"][0]["key"], "confirmed/o1");
}
