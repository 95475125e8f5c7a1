//! What one connection and one request may take.

use std::time::Duration;

use gateway::Patience;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::shop::DEADLINE;
use crate::stand::{Opening, Stand};

const SOON: Duration = Duration::from_millis(200);

/// One that soon loses it.
fn hurried() -> Opening {
    Opening {
        patience: Patience { first: SOON, headers: SOON, rest: SOON, read: SOON, last: SOON },
        ..Opening::default()
    }
}

async fn dial(stand: &Stand, says: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(stand.address).await.unwrap();
    stream.write_all(says).await.unwrap();
    stream
}

/// What comes until the connection is closed.
async fn heard(mut stream: TcpStream) -> String {
    let mut heard = Vec::new();
    // One that is reset is closed as well.
    let _ = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut heard)).await.expect("it is closed");
    String::from_utf8_lossy(&heard).into_owned()
}

async fn is_answered(stand: &Stand) -> bool {
    let client = tradewind_runtime::direct().build().unwrap();
    client.get(stand.url("/nothing")).send().await.is_ok_and(|answer| answer.status().as_u16() == 404)
}

#[tokio::test]
async fn whoever_says_nothing_or_half_of_it_is_cut_off() {
    let stand = Stand::open(hurried());
    for says in [&b""[..], b"GET", b"GET / HTTP/1.1\r\nhost: x\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"PRI * HT"] {
        let stream = dial(&stand, says).await;
        heard(stream).await;
    }
    let stream = dial(&stand, b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let heard = heard(stream).await;
    assert!(heard.starts_with("HTTP/1.1 404 "), "it is answered, and closed when it rests: {heard}");
    assert!(is_answered(&stand).await);
}

#[tokio::test]
async fn more_headers_than_there_may_be_are_refused() {
    let stand = Stand::open(Opening::default());
    let many = (0..150).map(|number| format!("x-{number}: 1\r\n")).collect::<String>();
    let long = format!("x-long: {}\r\n", "a".repeat(64 << 10));
    for headers in [many.as_str(), long.as_str()] {
        let says = format!("GET /nothing HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let mut stream = TcpStream::connect(stand.address).await.unwrap();
        // It may be closed before all is said.
        let _ = stream.write_all(says.as_bytes()).await;
        let heard = heard(stream).await;
        assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 431 "), "{heard}");
    }
    let http2 = tradewind_runtime::direct().http2_prior_knowledge().build().unwrap();
    let get = (0..101).fold(http2.get(stand.url("/nothing")), |get, number| get.header(format!("x-{number}"), "1"));
    assert_eq!(get.send().await.unwrap().status().as_u16(), 431);
    assert!(is_answered(&stand).await);
}

#[tokio::test]
async fn a_body_that_is_too_large_or_packed_is_refused_before_it_is_read() {
    let stand = Stand::open(Opening::default());
    let client = tradewind_runtime::direct().build().unwrap();
    let post = |path: &str| client.post(stand.url(path)).header("content-type", "application/json");
    let announced = dial(
        &stand,
        b"POST /v1/notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000000\r\n\r\n",
    )
    .await;
    assert!(heard(announced).await.starts_with("HTTP/1.1 413 "));
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 64 << 10]));
    let endless = reqwest::Body::wrap_stream(futures::StreamExt::take(endless, 1_000));
    // Whoever still writes may miss the answer.
    let answered = post("/v1/notes").body(endless).send().await;
    assert!(answered.is_err() || answered.is_ok_and(|answer| answer.status().as_u16() == 413));
    let packed = post("/v1/notes").header("content-encoding", "gzip").body("bomb").send().await.unwrap();
    assert_eq!(packed.status().as_u16(), 415);
    assert!(is_answered(&stand).await);
}

#[tokio::test]
async fn whoever_does_not_read_what_he_has_asked_for_is_cut_off() {
    let patience = Patience { read: SOON, ..Patience::default() };
    let stand = Stand::open(Opening { patience, connections: Some(1), ..Opening::default() });
    let asked = dial(&stand, b"GET /v1/notes/a HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let called = stand.called().await;
    let text = vec![b'a'; 16 << 20];
    let length = u32::try_from(text.len()).unwrap();
    // The field `text`, and its length as a varint of four bytes.
    let field = [0x12, 0x80, 0x80, 0x80, 0x08];
    let framed = [&[0][..], &(length + 5).to_be_bytes(), &field, &text].concat();
    called.says.unbounded_send(Ok(http_body::Frame::data(framed.into()))).unwrap();
    called.end();
    assert!(is_answered(&stand).await, "there is one place, which it has left");
    assert!(heard(asked).await.len() < text.len(), "not all of it was sent");
}

#[tokio::test]
async fn silent_connections_keep_nobody_out() {
    let stand = Stand::open(Opening { connections: Some(8), ..Opening::default() });
    let mut silent = Vec::new();
    for number in 0..40 {
        let half: &[u8] = if number % 2 == 0 { b"GET / HTTP/1.1\r\nhost:" } else { b"" };
        silent.push(dial(&stand, half).await);
    }
    assert!(is_answered(&stand).await);
    assert_eq!(heard(silent.remove(0)).await, "", "the oldest made room");
}

#[tokio::test]
async fn streams_that_are_taken_back_at_once_end_their_connection_and_no_other() {
    let stand = Stand::open(Opening::default());
    let tcp = TcpStream::connect(stand.address).await.unwrap();
    let (mut requests, connection) = h2::client::handshake(tcp).await.unwrap();
    let ended = tokio::spawn(connection);
    let uri = stand.url("/v1/notes/a");
    for _ in 0..20_000 {
        let request = http::Request::builder().uri(&uri).body(()).unwrap();
        let Ok(ready) = requests.clone().ready().await else { break };
        requests = ready;
        match requests.send_request(request, true) {
            Ok((_, mut stream)) => stream.send_reset(h2::Reason::CANCEL),
            Err(_) => break,
        }
    }
    assert!(tokio::time::timeout(DEADLINE, ended).await.unwrap().unwrap().is_err(), "it is closed");
    assert!(is_answered(&stand).await);
}

#[tokio::test]
async fn requests_that_are_taken_back_once_they_are_worked_for_are_counted() {
    let stand = Stand::open(Opening::default());
    let tcp = TcpStream::connect(stand.address).await.unwrap();
    let (mut requests, connection) = h2::client::handshake(tcp).await.unwrap();
    let ended = tokio::spawn(connection);
    let (uri, mut worked_for) = (stand.url("/v1/notes/a"), Vec::new());
    loop {
        assert!(worked_for.len() < 1_000, "it is closed");
        let request = http::Request::builder().uri(&uri).body(()).unwrap();
        let Ok(ready) = requests.clone().ready().await else { break };
        requests = ready;
        let Ok((_, mut stream)) = requests.send_request(request, true) else { break };
        tokio::select! {
            called = stand.called() => worked_for.push(called),
            // It is closed before the last is heard of.
            _ = std::future::poll_fn(|cx| stream.poll_reset(cx)) => break,
        }
        stream.send_reset(h2::Reason::CANCEL);
    }
    // However it says so.
    let _ = tokio::time::timeout(DEADLINE, ended).await.unwrap();
    assert!(is_answered(&stand).await);
}

#[tokio::test]
async fn connections_that_drip_keep_nobody_out() {
    let stand = Stand::open(Opening { connections: Some(8), ..Opening::default() });
    let mut slow = Vec::new();
    for _ in 0..40 {
        let half =
            b"POST /v1/notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
        slow.push(dial(&stand, half).await);
    }
    assert!(is_answered(&stand).await);
}

#[tokio::test]
async fn what_is_held_by_bodies_that_do_not_come_is_taken_back_for_others() {
    let stand = Stand::open(Opening { memory: Some(64), ..Opening::default() });
    let most = [
        &b"POST /v1/notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n"[..],
        &vec![b' '; 999_000],
    ]
    .concat();
    let mut slow = Vec::new();
    // Of a quarter of 64 MiB, these want three.
    for _ in 0..48 {
        let mut stream = TcpStream::connect(stand.address).await.unwrap();
        let _ = stream.write_all(&most).await;
        slow.push(stream);
    }
    let client = tradewind_runtime::direct().build().unwrap();
    let body = format!("{{\"text\":\"{}\"}}", "a".repeat(900_000));
    let post = client.post(stand.url("/v1/notes")).header("content-type", "application/json").body(body);
    let asking = tokio::spawn(post.send());
    let called = stand.called().await;
    called.say("kept");
    called.end();
    assert_eq!(asking.await.unwrap().unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn json_of_more_values_than_a_message_is_made_of_is_refused() {
    let stand = Stand::open(Opening::default());
    let client = tradewind_runtime::direct().build().unwrap();
    let body = format!("{{\"text\":[{}{{}}]}}", "{},".repeat(100_000));
    let post = client.post(stand.url("/v1/notes")).header("content-type", "application/json").body(body);
    let (status, told) = crate::shop::told(post).await;
    assert_eq!((status, &told["error"]["details"][0]["reason"]), (413, &"TOO_MANY_VALUES".into()));
}
