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
        .route("/never", post(std::future::pending::<()>))
        .route("/elsewhere", post(async || (StatusCode::TEMPORARY_REDIRECT, [("location", "/status/200")])));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(axum::serve(listener, routes).into_future());
    Party::new(base, Duration::from_millis(500)).unwrap()
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
        assert_eq!(no_answer(status, "secret").await, NoAnswer::Refused("KEY_REUSED".to_owned()), "{status}");
    }
    assert_eq!(no_answer("409", "a sentence").await, NoAnswer::Refused("HTTP_409".to_owned()));
    for status in ["408", "425", "429", "500", "503"] {
        let unknown = no_answer(status, "secret").await;
        assert!(matches!(&unknown, NoAnswer::Unknown(_)), "{status}: {unknown:?}");
        assert!(!unknown.to_string().contains("secret"), "{unknown}");
    }
}

#[tokio::test]
async fn what_comes_to_nothing_says_how() {
    let party = party().await;
    for (path, how) in [("garbage", "an answer that cannot be read"), ("never", "no answer in time")] {
        let unknown = party.post::<Value>(&[path], None::<&()>).await.unwrap_err();
        assert!(matches!(&unknown, NoAnswer::Unknown(told) if told.starts_with(how)), "{path}: {unknown:?}");
    }
    let elsewhere = party.post::<Value>(&["elsewhere"], None::<&()>).await.unwrap_err();
    assert_eq!(elsewhere, NoAnswer::Refused("HTTP_307".to_owned()), "a redirect is not followed");
    let nowhere = Url::parse(&format!("http://127.0.0.1:{}", tradewind_testing::free_port())).unwrap();
    let nobody = Party::new(nowhere, Duration::from_secs(1)).unwrap();
    let unknown = nobody.hand_over(&["mail"], &()).await.unwrap_err();
    assert!(matches!(&unknown, NoAnswer::Unknown(told) if told.starts_with("cannot be reached")), "{unknown:?}");
}
