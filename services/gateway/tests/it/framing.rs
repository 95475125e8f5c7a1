//! Where a request ends: whoever stands before the gateway and the gateway never think otherwise.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tradewind_edge::Files;
use tradewind_testing::scratch;

use crate::shop::DEADLINE;
use crate::stand::{Opening, Stand, note};
use crate::tls::issue;

const CHUNKS: &str = "c\r\n{\"text\":\"a\"}\r\n0\r\n\r\n";

async fn sent(stand: &Stand, request: &str) -> TcpStream {
    let mut tcp = TcpStream::connect(stand.address).await.unwrap();
    tcp.write_all(request.as_bytes()).await.unwrap();
    tcp
}

/// All that comes until the other end closes.
async fn heard(mut tcp: TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let read = tokio::time::timeout(DEADLINE, tcp.read_to_end(&mut all)).await.expect("it is closed");
    drop(read);
    all
}

#[tokio::test]
async fn where_a_request_ends_is_told_in_one_way() {
    let stand = Stand::open(Opening::default());
    let head = "POST /v1/notes HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nconnection: close\r\n";
    for lengths in
        ["content-length: 3\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 3"]
    {
        let asked = sent(&stand, &format!("{head}{lengths}\r\n\r\n{CHUNKS}")).await;
        let called = stand.called().await;
        assert_eq!(called.body, note("a"), "chunks count, whatever a length says: {lengths}");
        called.say("a");
        called.end();
        assert!(heard(asked).await.starts_with(b"HTTP/1.1 200 "));
    }
    for lengths in [
        "content-length: 12\r\ncontent-length: 3",
        "content-length: 12, 3",
        "content-length: +12",
        "content-length: 1 2",
        "transfer-encoding: gzip, identity",
        "transfer-encoding : chunked",
    ] {
        let answer = heard(sent(&stand, &format!("{head}{lengths}\r\n\r\n{CHUNKS}")).await).await;
        assert!(answer.starts_with(b"HTTP/1.1 400 "), "{lengths}: {}", String::from_utf8_lossy(&answer));
        assert_eq!(answer.windows(9).filter(|part| part == b"HTTP/1.1 ").count(), 1, "nothing after it is a request");
    }
    let older = head.replace("HTTP/1.1", "HTTP/1.0");
    let answer = heard(sent(&stand, &format!("{older}transfer-encoding: chunked\r\n\r\n{CHUNKS}")).await).await;
    assert!(!answer.windows(5).any(|part| part == b" 200 "), "{}", String::from_utf8_lossy(&answer));

    for (length, body) in [("5", "abc"), ("3", "abcde")] {
        let (requests, connection) = h2::client::handshake(sent(&stand, "").await).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = http::Request::post(stand.url("/v1/notes")).header("content-type", "application/json");
        let request = request.header("content-length", length).body(()).unwrap();
        let (answer, mut stream) = requests.ready().await.unwrap().send_request(request, false).unwrap();
        stream.send_data(Bytes::from_static(body.as_bytes()), true).unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(40), answer).await.expect("it is answered");
        assert!(answer.is_err(), "{length} bytes are not {body:?}");
        connection.abort();
    }
}

#[tokio::test]
async fn who_is_refused_while_he_writes_reads_the_answer() {
    let stand = Stand::open(Opening::default());
    let head = "POST /v1/nowhere HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    let mut tcp = sent(&stand, &format!("{head}content-length: 40000\r\n\r\n")).await;
    for _ in 0..40 {
        tcp.write_all(&[b' '; 1_000]).await.unwrap();
        tokio::task::yield_now().await;
    }
    // What was not read would end the connection before the second is answered.
    tcp.write_all(format!("{head}connection: close\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.unwrap();
    let answers = heard(tcp).await;
    let answers = String::from_utf8_lossy(&answers);
    assert_eq!(answers.matches("HTTP/1.1 404 ").count(), 2, "{answers}");
    for unread in [
        sent(&stand, &format!("{head}expect: 100-continue\r\ncontent-length: 40000\r\n\r\n")).await,
        sent(&stand, &format!("{head}content-length: 400000\r\n\r\n{}", " ".repeat(10))).await,
    ] {
        let answer = String::from_utf8_lossy(&heard(unread).await).into_owned();
        assert!(answer.starts_with("HTTP/1.1 404 "), "nobody asks for what nobody reads: {answer}");
        assert!(answer.contains("connection: close\r\n"), "the next request would not be heard: {answer}");
    }
}

#[tokio::test]
async fn what_comes_plain_to_tls_is_not_sent_on() {
    let folder = scratch();
    issue(folder.path());
    let files = Files { certificate: folder.path().join("edge.pem"), key: folder.path().join("edge.key") };
    let stand = Stand::open(Opening { files: Some(files), ..Opening::default() });
    let answer = heard(sent(&stand, "GET /v1/notes/a HTTP/1.1\r\nhost: localhost\r\n\r\n").await).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "it is no HTTP that is answered: {answer:?}");
}
