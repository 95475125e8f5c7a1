//! What is known of a call to a party outside.

use std::time::Duration;

use axum::{
    Router,
    body::Bytes,
    extract::Path,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::post,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tradewind_domain::Reason;
use tradewind_runtime::outside::{NoAnswer, Party, Url};

/// A party that answers each call with the status in its path; its answers hold what it was sent.
async fn party() -> Party {
    async fn answer(Path(status): Path<u16>, body: Bytes) -> impl IntoResponse {
        let status = StatusCode::from_u16(status).unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let (reason, message) = if text.contains("sentence") { (&*text, "") } else { ("KEY_REUSED", &*text) };
        (status, axum::Json(json!({ "sent": text, "error": { "reason": reason, "message": message } })))
    }
    let routes = Router::new()
        .route("/status/{status}", post(answer))
        .route("/garbage", post(async || ([(CONTENT_TYPE, "application/json")], "{")))
        .route("/verbose/{status}", post(verbose))
        .route("/endless", post(async || " ".repeat(100_000)))
        .route("/never", post(std::future::pending::<()>))
        .route("/elsewhere", post(async || (StatusCode::TEMPORARY_REDIRECT, [("location", "/status/200")])));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(axum::serve(listener, routes).into_future());
    Party::new(base, Duration::from_secs(3)).unwrap()
}

/// An answer with five million bytes of text in its midst.
async fn verbose(Path(status): Path<u16>) -> impl IntoResponse {
    let text = "\u{1f4b3} 4111 1111 1111 1111 \\\"".repeat(200_000);
    let answer = json!({ "status": "declined", "error": { "message": text, "reason": text }, "amount": 900 });
    (StatusCode::from_u16(status).unwrap(), axum::Json(answer))
}

#[tokio::test]
async fn nothing_long_is_kept_of_an_answer_and_the_rest_still_counts() {
    let party = party().await;
    let answer: Value = party.post(&["verbose", "200"], None::<&()>).await.unwrap();
    let rest = json!({ "status": "declined", "error": { "message": "", "reason": "" }, "amount": 900 });
    assert_eq!(answer, rest);
    let refused = party.post::<Value>(&["verbose", "409"], None::<&()>).await.unwrap_err();
    assert_eq!(refused, NoAnswer::Refused(Reason::told("HTTP_409")));
    let endless = party.post::<Value>(&["endless"], None::<&()>).await.unwrap_err();
    assert_eq!(endless, NoAnswer::Unreadable("an answer that is too long"));
}

#[tokio::test]
async fn what_cannot_be_read_repeats_nothing_of_it() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(tag = "sent")]
    enum Expected {
        Taken,
    }
    let party = party().await;
    let unreadable = party.post::<Expected>(&["status", "200"], Some(&"4111111111111111")).await.unwrap_err();
    assert_eq!(unreadable, NoAnswer::Unreadable("an answer that cannot be read"));
}

#[tokio::test]
async fn only_success_is_an_answer() {
    let party = party().await;
    let answer: Value = party.post(&["status", "200"], Some(&json!({"key": "a/b"}))).await.unwrap();
    assert_eq!(answer["sent"], r#"{"key":"a/b"}"#);
    let answer: Value = party.post(&["status", "201"], None::<&()>).await.unwrap();
    assert_eq!(answer["sent"], "", "no body is not an empty one");
    party.hand_over(&["garbage"], &json!({})).await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_told_from_not_knowing() {
    let party = party().await;
    let no_answer = async |status: &str, body| party.hand_over(&["status", status], &body).await.unwrap_err();
    for status in ["400", "404", "409", "422"] {
        assert_eq!(no_answer(status, "secret").await, NoAnswer::Refused(Reason::told("KEY_REUSED")), "{status}");
    }
    assert_eq!(no_answer("409", "a sentence").await, NoAnswer::Refused(Reason::told("HTTP_409")));
    for status in ["408", "425", "429", "500", "503"] {
        let unknown = no_answer(status, "secret").await;
        assert!(matches!(&unknown, NoAnswer::Unknown(_)), "{status}: {unknown:?}");
        assert!(!unknown.to_string().contains("secret"), "{unknown}");
    }
}

#[tokio::test]
async fn what_comes_to_nothing_says_how() {
    let party = party().await;
    let unknown = party.post::<Value>(&["garbage"], None::<&()>).await.unwrap_err();
    assert_eq!(unknown, NoAnswer::Unreadable("an answer that cannot be read"));
    let unknown = party.post::<Value>(&["never"], None::<&()>).await.unwrap_err();
    assert!(matches!(&unknown, NoAnswer::Unknown(told) if told.starts_with("no answer in time")), "{unknown:?}");
    let elsewhere = party.post::<Value>(&["elsewhere"], None::<&()>).await.unwrap_err();
    assert_eq!(elsewhere, NoAnswer::Refused(Reason::told("HTTP_307")), "a redirect is not followed");
    let nowhere = Url::parse(&format!("http://127.0.0.1:{}", tradewind_testing::free_port())).unwrap();
    let nobody = Party::new(nowhere, Duration::from_secs(1)).unwrap();
    let unknown = nobody.hand_over(&["mail"], &()).await.unwrap_err();
    assert!(matches!(&unknown, NoAnswer::Unknown(told) if told.starts_with("cannot be reached")), "{unknown:?}");
}
