//! What a connection may do, and for how long; over sockets. Time stands still while somebody works, and goes on where all wait.

use std::io::Result;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::stand::Stand;

const HOUR: Duration = Duration::from_secs(60 * 60);
const ASKS: &[u8] = b"GET /console HTTP/1.1\r\nhost: x\r\n\r\n";

/// The first line of what is answered; empty where the connection is closed.
async fn status(stream: &mut TcpStream) -> String {
    let mut head = [0; 12];
    let read = stream.read_exact(&mut head).await.unwrap_or_default();
    String::from_utf8(head[..read].to_vec()).unwrap()
}

/// What there is to read until it is closed; that has to be within the hour.
async fn rest(stream: &mut TcpStream) -> Result<String> {
    let mut all = Vec::new();
    let read = tokio::time::timeout(HOUR, stream.read_to_end(&mut all)).await.expect("it is closed");
    read.map(|_| String::from_utf8(all).unwrap())
}

#[tokio::test]
async fn what_is_under_way_is_ended_when_it_is_to_stop() {
    let (stand, stop) = (Stand::new(), CancellationToken::new());
    let (address, serving) = stand.serve(None, &stop).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut asks = TcpStream::connect(address).await.unwrap();
    asks.write_all(ASKS).await.unwrap();
    assert_eq!(status(&mut asks).await, "HTTP/1.1 401");
    stop.cancel();
    serving.await.unwrap().unwrap();
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap_or_default(), 0);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn whoever_says_nothing_or_half_of_it_is_let_go_while_others_are_answered() {
    let (stand, stop) = (Stand::new(), CancellationToken::new());
    let (address, _serving) = stand.serve(None, &stop).await;
    let table = [
        ("", ""),
        ("GET /console HTTP/1.1\r\nhost:", ""),
        ("POST /console/sign-in HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n", "HTTP/1.1 408"),
        ("POST /console/do HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nmark=", "HTTP/1.1 408"),
        ("GET /console HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nmark=\r\n", "HTTP/1.1 408"),
    ];
    for (said, answered) in table {
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(said.as_bytes()).await.unwrap();
        let told = rest(&mut half).await.unwrap();
        assert!(told.starts_with(answered), "{said:?}: {told:?}");
        let mut asks = TcpStream::connect(address).await.unwrap();
        asks.write_all(ASKS).await.unwrap();
        assert_eq!(status(&mut asks).await, "HTTP/1.1 401");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_and_reads_nothing_is_let_go() {
    let (stand, stop) = (Stand::new(), CancellationToken::new());
    let (address, _serving) = stand.serve(None, &stop).await;
    let mut deaf = TcpStream::connect(address).await.unwrap();
    let asks = b"GET /console/assets/console.css HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000_000);
    let asked = tokio::time::timeout(HOUR, deaf.write_all(&asks)).await.expect("it is let go");
    assert!(asked.is_err(), "not all of it was heard");
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_keeps_no_other_out() {
    let (stand, stop) = (Stand::new(), CancellationToken::new());
    let (address, _serving) = stand.serve(None, &stop).await;
    let from = async |ip: &str| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{ip}:0").parse().unwrap()).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let _ = stream.write_all(ASKS).await;
        let status = status(&mut stream).await;
        (stream, status)
    };
    let mut held = Vec::new();
    for _ in 0..64 {
        let (stream, status) = from("127.0.0.1").await;
        assert_eq!(status, "HTTP/1.1 401");
        held.push(stream);
    }
    assert_eq!(from("127.0.0.1").await.1, "", "there are enough of it");
    assert_eq!(from("127.0.0.2").await.1, "HTTP/1.1 401", "it is another");
    held.clear();
    tradewind_testing::eventually(Duration::from_secs(20), "its places are free again", async || {
        match from("127.0.0.1").await.1 {
            status if status.is_empty() => Err("closed"),
            _ => Ok(()),
        }
    })
    .await;
    let proxied = Stand::for_staff(&crate::people::People::default(), "127.0.0.0/8");
    let (address, _serving) = proxied.serve(None, &stop).await;
    let mut all = Vec::new();
    for _ in 0..70 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(ASKS).await.unwrap();
        assert_eq!(status(&mut stream).await, "HTTP/1.1 401", "a proxy asks for others");
        all.push(stream);
    }
}
