//! Streams as JSON, in each form; what ends them too early; and what goes on beside a request.

use bytes::Bytes;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tonic::Status;

use crate::shop::{header, json as whole};
use crate::stand::{Opening, Stand, note};

fn client() -> Client {
    tradewind_runtime::direct().build().unwrap()
}

fn watch(stand: &Stand, accept: &str) -> tokio::task::JoinHandle<Response> {
    let asked = client().get(stand.url("/v1/notes:watch?text=a")).header("accept", accept.to_owned());
    tokio::spawn(async move { asked.send().await.unwrap() })
}

#[tokio::test]
async fn a_stream_comes_in_the_form_that_is_asked_for() {
    let stand = Stand::open(Opening::default());
    for (accept, kind, body) in [
        ("application/json", "application/json", "[{\"text\":\"a\"}\n,{\"text\":\"b\"}\n]\n"),
        ("*/*", "application/json", "[{\"text\":\"a\"}\n,{\"text\":\"b\"}\n]\n"),
        ("application/x-ndjson", "application/x-ndjson", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n"),
        (
            "text/event-stream",
            "text/event-stream; charset=utf-8",
            "data: {\"text\":\"a\"}\n\ndata: {\"text\":\"b\"}\n\nevent: end\ndata: {}\n\n",
        ),
    ] {
        let watching = watch(&stand, accept);
        let called = stand.called().await;
        assert_eq!((called.path.as_str(), &called.body), ("/stand.v1.StandService/Watch", &note("a")));
        called.say("a");
        let mut response = watching.await.unwrap();
        assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, kind));
        let first = response.chunk().await.unwrap().unwrap();
        assert_eq!(first, body[..first.len()], "what is there comes before the rest is");
        called.say("b");
        called.end();
        let rest = response.bytes().await.unwrap();
        assert_eq!(String::from_utf8([first, rest].concat()).unwrap(), body, "{accept}");
    }
}

#[tokio::test]
async fn a_stream_without_messages_is_whole_all_the_same() {
    let stand = Stand::open(Opening::default());
    for (accept, body) in
        [("", "[]\n"), ("application/x-ndjson", ""), ("text/event-stream", "event: end\ndata: {}\n\n")]
    {
        let watching = watch(&stand, accept);
        stand.called().await.end();
        assert_eq!(watching.await.unwrap().text().await.unwrap(), body);
    }
}

#[tokio::test]
async fn an_error_before_the_first_message_is_a_status_and_one_after_it_the_last_frame() {
    let stand = Stand::open(Opening::default());
    for (accept, before, after) in [
        ("application/json", ",", "\n]\n"),
        ("application/x-ndjson", "", "\n"),
        ("text/event-stream", "event: error\ndata: ", "\n\n"),
    ] {
        let watching = watch(&stand, accept);
        stand.called().await.end_with(&Status::not_found("none"));
        let response = watching.await.unwrap();
        assert_eq!((response.status().as_u16(), header(&response, "content-type")), (404, "application/json"));
        assert_eq!(whole(response).await["error"]["status"], "NOT_FOUND");

        let watching = watch(&stand, accept);
        let called = stand.called().await;
        called.say("a");
        let mut response = watching.await.unwrap();
        response.chunk().await.unwrap().unwrap();
        called.end_with(&Status::aborted("lost"));
        let last = response.text().await.unwrap();
        let error = last.strip_prefix(before).and_then(|last| last.strip_suffix(after)).unwrap();
        let error: Value = serde_json::from_str(error).unwrap();
        assert_eq!((&error["error"]["status"], &error["error"]["code"]), (&json!("ABORTED"), &json!(409)), "{error}");
        assert_eq!(error["error"]["details"][0]["@type"], "type.googleapis.com/google.rpc.RequestInfo");
    }
}

#[tokio::test]
async fn a_stop_ends_streams_in_their_own_form_and_lets_calls_finish() {
    let stand = Stand::open(Opening::default());
    let watching = watch(&stand, "application/x-ndjson");
    let watched = stand.called().await;
    watched.say("a");
    let mut response = watching.await.unwrap();
    response.chunk().await.unwrap().unwrap();
    let looking = tokio::spawn(client().get(stand.url("/v1/notes/b")).send());
    let looked = stand.called().await;

    stand.stop.cancel();
    let last: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(last["error"]["details"][0]["reason"], "SHUTTING_DOWN");
    looked.say("b");
    looked.end();
    assert_eq!(whole(looking.await.unwrap().unwrap()).await, json!({"text": "b"}));
    stand.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn whoever_goes_away_takes_his_stream_with_him() {
    let stand = Stand::open(Opening::default());
    let watching = watch(&stand, "application/x-ndjson");
    let called = stand.called().await;
    called.say("a");
    let response = watching.await.unwrap();
    drop(response);
    tradewind_testing::eventually(crate::shop::DEADLINE, "the call is given up", async || called.says.is_closed())
        .await;
}

#[tokio::test]
async fn a_repeated_request_is_known_by_its_header_or_its_field() {
    let stand = Stand::open(Opening::default());
    let post = |body: Value| {
        client().post(stand.url("/v1/notes")).header("content-type", "application/json").body(body.to_string())
    };
    for (key, body, named) in
        [("k-1", json!({}), "k-1"), ("\"k-1\"", json!({}), "k-1"), ("k-1", json!({"requestId": "k-1"}), "k-1")]
    {
        let asking = tokio::spawn(post(body).header("idempotency-key", key).send());
        let called = stand.called().await;
        let expected: Bytes = [&[0, 0, 0, 0, 5, 0x0a, 3][..], named.as_bytes()].concat().into();
        assert_eq!(called.body, expected);
        called.say("kept");
        called.end();
        assert_eq!(asking.await.unwrap().unwrap().status().as_u16(), 200);
    }
    let refused = post(json!({"requestId": "k-2"})).header("idempotency-key", "k-1").send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 400);
    let refused = post(json!({})).header("idempotency-key", "\"\"").send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 400);
}

#[tokio::test]
async fn a_service_hears_nothing_but_what_it_is_meant_to() {
    let stand = Stand::open(Opening::default());
    let asked = client().get(stand.url("/v1/notes/a"));
    let asked = asked.header("grpc-timeout", "3S").header("tradewind-user", "root").header("cookie", "a=b");
    let asked =
        asked.header("grpc-previous-rpc-attempts", "1").header("traceparent", "00-1-2-03").header("x-other", "1");
    let asking = tokio::spawn(asked.send());
    let called = stand.called().await;
    let mut heard: Vec<_> =
        called.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    heard.sort();
    assert_eq!(heard, ["content-type: application/grpc", "grpc-timeout: 3S", "te: trailers"]);
    called.say("a");
    called.end();
    asking.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_not_public_is_closed_and_what_is_internal_is_not_there() {
    let stand = Stand::open(Opening::default());
    let status = async |path: &str| client().get(stand.url(path)).send().await.unwrap().status().as_u16();
    assert_eq!((status("/v1/mine").await, status("/v1/inside").await), (401, 404));
}

#[tokio::test]
async fn of_a_head_nothing_is_sent_but_what_would_be_said_of_it() {
    let stand = Stand::open(Opening::default());
    let http2 = tradewind_runtime::direct().http2_prior_knowledge().build().unwrap();
    for client in [client(), http2] {
        for path in ["/nothing", "/openapi.json"] {
            let response = client.head(stand.url(path)).send().await.unwrap();
            assert_ne!(header(&response, "content-length"), "", "{path}");
            assert!(response.bytes().await.unwrap().is_empty(), "{path}");
        }
        let watching = tokio::spawn(client.head(stand.url("/v1/notes:watch?text=a")).send());
        let called = stand.called().await;
        called.say("a");
        assert!(watching.await.unwrap().unwrap().bytes().await.unwrap().is_empty());
    }
}
