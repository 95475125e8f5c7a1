//! What the card provider lists of what moved money.

use serde_json::{Value, json};

use crate::process::{Outside, charge, refund};

const ALWAYS: &str = "since=2000-01-01T00:00:00Z&until=2100-01-01T00:00:00Z";

async fn listed(outside: &Outside, query: &str) -> (Vec<(String, String, i64, String)>, bool) {
    let page = outside.seen(&format!("/card/balance_transactions?{ALWAYS}{query}")).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let lines = page["transactions"].as_array().unwrap().iter();
    let lines = lines.map(|line| {
        (text(&line["id"]), text(&line["type"]), line["amount_minor"].as_i64().unwrap(), text(&line["currency"]))
    });
    (lines.collect(), page["has_more"].as_bool().unwrap())
}

#[tokio::test]
async fn what_moved_is_listed_in_pages_and_some_tokens_make_it_wrong() {
    let outside = Outside::new();
    for token in ["tok_ok", "tok_declined", "tok_unlisted", "tok_listed_over", "tok_listed_currency"] {
        outside.ok("/card/charges", &charge(token, token)).await;
    }
    outside.ok("/card/refunds", &refund("tok_ok", "refund/tok_ok", 1_000)).await;
    let line = |id: u8, kind: &str, minor, currency: &str| {
        (format!("txn_{id:06}"), kind.to_owned(), minor, currency.to_owned())
    };
    let all = [
        line(1, "charge", 1_250, "GBP"),
        line(2, "charge", 1_251, "GBP"),
        line(3, "charge", 1_250, "EUR"),
        line(4, "refund", 1_000, "GBP"),
    ];
    assert_eq!(listed(&outside, "").await, (all.to_vec(), false));
    assert_eq!(listed(&outside, "&limit=3").await, (all[..3].to_vec(), true));
    assert_eq!(listed(&outside, "&limit=3&after=txn_000003").await, (all[3..].to_vec(), false));
    let before = outside.seen("/card/balance_transactions?since=2000-01-01T00:00:00Z&until=2000-01-02T00:00:00Z").await;
    assert_eq!(before, json!({"transactions": [], "has_more": false}));
    for (query, reason) in [
        ("&limit=0", "LIMIT_OUT_OF_RANGE"),
        ("&limit=101", "LIMIT_OUT_OF_RANGE"),
        ("&after=txn_9", "UNKNOWN_TRANSACTION"),
        ("&order=1", "INVALID_QUERY"),
    ] {
        let (status, answer) = outside.get(&format!("/card/balance_transactions?{ALWAYS}{query}")).await;
        assert_eq!((status.as_u16(), &answer["error"]["reason"]), (400, &json!(reason)), "{query}");
    }
    let backwards = "/card/balance_transactions?since=2000-01-02T00:00:00Z&until=2000-01-01T00:00:00Z";
    assert_eq!(outside.get(backwards).await.1["error"]["reason"], "PERIOD_EMPTY");
}
