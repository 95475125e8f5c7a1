//! Streams, and whoever has opened them: when they are believed no longer, the stream is over.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use contracts::tradewind::identity::v1::ListEndedSessionsResponse;
use futures::FutureExt as _;
use gateway::{FindKey, Found, Patience};
use reqwest::{Client, RequestBuilder};
use rustls::pki_types::UnixTime;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tradewind_edge::TellEnded;
use tradewind_mesh::User;
use tradewind_testing::eventually;

use crate::people::Keys;
use crate::shop::DEADLINE;
use crate::stand::{Opening, Stand, note};

fn client() -> Client {
    tradewind_runtime::direct().build().unwrap()
}

fn follow(stand: &Stand) -> RequestBuilder {
    client().get(stand.url("/v1/mine:follow")).header("accept", "application/x-ndjson")
}

/// Why a stream has ended of which this is all.
fn why(said: &str) -> Value {
    let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    last["error"]["details"][0]["reason"].clone()
}

#[tokio::test]
async fn a_stream_ends_with_the_token_it_was_opened_with() {
    let keys = Keys::new();
    let stand = Stand::open(Opening { issuers: vec![keys.trusted()], ..Opening::default() });
    for (accept, before) in [("application/x-ndjson", "{\"text\":\"a\"}\n"), ("application/grpc-web", "")] {
        // It is over, but for what clocks may be apart.
        let token = keys.token(json!({ "exp": UnixTime::now().as_secs() - 28 }));
        let asked = match before {
            "" => client().post(stand.url("/stand.v1.StandService/Follow")).body(note("a")),
            _ => client().get(stand.url("/v1/mine:follow")),
        };
        let kind = if before.is_empty() { "content-type" } else { "accept" };
        let asking = tokio::spawn(asked.header(kind, accept).bearer_auth(token).send());
        let called = stand.called().await;
        called.say("a");
        let last = asking.await.unwrap().unwrap().bytes().await.unwrap();
        let last = String::from_utf8_lossy(&last);
        assert!(last.starts_with(before), "{last}");
        if before.is_empty() {
            assert!(last.contains("grpc-status:16"), "{last}");
        } else {
            let error: Value = serde_json::from_str(&last[before.len()..]).unwrap();
            assert_eq!((&error["error"]["code"], &error["error"]["status"]), (&json!(401), &json!("UNAUTHENTICATED")));
            assert_eq!(error["error"]["details"][0]["reason"], "TOKEN_EXPIRED");
        }
        let closed = async || called.says.is_closed();
        eventually(DEADLINE, "the call is given up", closed).await;
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_session_it_was_opened_in() {
    let (keys, over) = (Keys::new(), Arc::new(Mutex::new(Vec::new())));
    let tell: TellEnded = {
        let over = over.clone();
        Arc::new(move |_| {
            let session_ids = over.lock().unwrap().clone();
            std::future::ready(Ok(ListEndedSessionsResponse { session_ids, until: None })).boxed()
        })
    };
    let opening = Opening { issuers: vec![keys.trusted()], tell: Some(tell), ..Opening::default() };
    let stand = Stand::open(opening);
    let asking = tokio::spawn(follow(&stand).bearer_auth(keys.token(json!({ "sid": "s-2" }))).send());
    let other = stand.called().await;
    other.say("a");
    let mut goes_on = asking.await.unwrap().unwrap();
    let asking = tokio::spawn(follow(&stand).bearer_auth(keys.token(json!({ "sid": "s-1" }))).send());
    let called = stand.called().await;
    called.say("a");
    let response = asking.await.unwrap().unwrap();
    over.lock().unwrap().push("s-1".to_owned());
    let said = tokio::time::timeout(DEADLINE, response.text()).await.expect("the stream is ended").unwrap();
    assert_eq!(why(&said), "TOKEN_ENDED");
    goes_on.chunk().await.unwrap().unwrap();
    other.say("b");
    assert_eq!(goes_on.chunk().await.unwrap().unwrap(), "{\"text\":\"b\"}\n", "it is another's");
}

#[tokio::test]
async fn a_stream_ends_with_the_key_it_was_opened_with() {
    let user = User { id: "partner:acme".to_owned(), scopes: Some(Vec::new()), ..User::default() };
    let find: FindKey = Arc::new(move |_| {
        let expires = Some(UnixTime::now().as_secs() + 2);
        std::future::ready(Ok(Some(Found { user: user.clone(), expires }))).boxed()
    });
    let stand = Stand::open(Opening { find: Some(find), ..Opening::default() });
    let key = format!("twk_{}_{}", "0".repeat(32), "a".repeat(43));
    let asking = tokio::spawn(follow(&stand).header("x-api-key", key).send());
    let called = stand.called().await;
    called.say("a");
    let said = tokio::time::timeout(DEADLINE, asking.await.unwrap().unwrap().text());
    assert_eq!(why(&said.await.expect("the stream is ended").unwrap()), "TOKEN_EXPIRED");
}

#[tokio::test]
async fn a_stream_that_nobody_reads_ends_all_the_same() {
    let keys = Keys::new();
    let patience = Patience { read: Duration::from_millis(10), ..Patience::default() };
    let stand = Stand::open(Opening { issuers: vec![keys.trusted()], patience, ..Opening::default() });
    let token = keys.token(json!({ "exp": UnixTime::now().as_secs() - 28 }));
    // A byte of the answer may come.
    let tcp = TcpStream::connect(stand.address).await.unwrap();
    let shaken = h2::client::Builder::new().initial_window_size(1).handshake::<_, bytes::Bytes>(tcp).await;
    let (mut requests, connection) = shaken.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::get(stand.url("/v1/mine:follow")).header("authorization", format!("Bearer {token}"));
    let (answer, _) = requests.send_request(request.body(()).unwrap(), true).unwrap();
    let called = stand.called().await;
    called.say("a");
    let _answer = answer.await.unwrap();
    let _ended = tokio::time::timeout(DEADLINE, connection).await.expect("the connection is ended").unwrap();
    eventually(DEADLINE, "the call is given up", async || called.says.is_closed()).await;
}
