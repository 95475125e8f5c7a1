//! What is done to a gateway by whoever means it no good: it takes no more memory than it may, and others are served all the while.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream::{self, StreamExt};
use http::Request;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use crate::outside::{Customer, MEMORY, Outside};

/// Requests of somebody else that are answered in the course of each attack, which goes on all the while.
const OTHERS: usize = 100;
/// Connections that are dialled at a time.
const AT_ONCE: usize = 64;

/// How much of each there is.
#[derive(Clone, Copy)]
struct Scale {
    connections: usize,
    /// Bytes of a body without an end.
    endless: usize,
    /// Bytes that are packed into few.
    packed: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_done_memory_is_bounded_and_others_are_served() {
    all(Scale { connections: 300, endless: 64 << 20, packed: 64 << 20 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes, and 20,000 open files: make attack"]
async fn ten_thousand_connections_and_bodies_of_a_gigabyte_are_borne() {
    all(Scale { connections: 10_000, endless: 1_000_000_000, packed: 1 << 30 }).await;
}

async fn all(scale: Scale) {
    let outside = Outside::open().await;
    let customer = Customer::of(&outside);
    customer.served(OTHERS).await;
    eprintln!("{:40} {:>8} {:>12}", "attack", "peak MiB", "slowest ms");
    eprintln!("{:40} {:>8}", "none", outside.peak());
    let many = scale.connections;
    attack(&outside, &customer, "silent connections", silent(&outside, many, b"")).await;
    attack(&outside, &customer, "half a request", silent(&outside, many, b"GET / HTTP/1.1\r\nhost:")).await;
    attack(&outside, &customer, "silent HTTP/2", silent(&outside, many, PREFACE)).await;
    attack(&outside, &customer, "bodies that drip", drip(&outside, many)).await;
    attack(&outside, &customer, "answers that nobody reads", unread(&outside, many)).await;
    attack(&outside, &customer, "streams that nobody reads", unread_streams(&outside, many / 50)).await;
    attack(&outside, &customer, "bodies without an end", endless(&outside, scale.endless)).await;
    attack(&outside, &customer, "many headers, and long ones", headers(&outside, many / 10)).await;
    attack(&outside, &customer, "headers that unpack to many", unpacked_headers(&outside, many / 50)).await;
    attack(&outside, &customer, "headers without an end", continued(&outside, many / 50)).await;
    attack(&outside, &customer, "messages that unpack to much", packed(&outside, scale.packed)).await;
    attack(&outside, &customer, "JSON of many values", values(&outside, many / 50)).await;
    attack(&outside, &customer, "requests that are taken back", taken_back(&outside, many / 50)).await;
    assert_eq!(customer.failed().await, Vec::<String>::new(), "everybody else was served");
}

/// Goes on until somebody else was served while it was made, and for a while after. What it gives is kept as long.
async fn attack<T>(outside: &Outside, customer: &Customer, name: &str, attack: impl Future<Output = T>) {
    let (_kept, slowest) = tokio::join!(attack, customer.served(1));
    let slowest = slowest.max(customer.served(OTHERS).await);
    let peak = outside.peak();
    eprintln!("{name:40} {peak:>8} {slowest:>12}");
    assert!(peak > 0 && peak < MEMORY, "{name}: {peak} MiB");
}

/// Connections on which this much is said.
async fn silent(outside: &Outside, many: usize, says: &[u8]) -> Vec<TcpStream> {
    let dialled = stream::iter(0..many).map(|_| async {
        let mut stream = dial(outside).await?;
        // It may be closed by then.
        let _ = stream.write_all(says).await;
        Some(stream)
    });
    dialled.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
}

/// A connection that takes little of what is said to it.
async fn dial(outside: &Outside) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(outside.address).await.ok()
}

/// Most of a body, and then a byte now and then.
async fn drip(outside: &Outside, many: usize) -> AbortOnDropHandle<()> {
    let says = [post(1 << 20).as_bytes(), &[b' '; 200 << 10]].concat();
    let mut streams = silent(outside, many, &says).await;
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(500));
        loop {
            tick.tick().await;
            streams.retain(|stream| !matches!(stream.try_write(b" "), Err(error) if error.kind() != std::io::ErrorKind::WouldBlock));
        }
    }))
}

fn post(length: usize) -> String {
    format!(
        "POST /v1/accounts HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

async fn unread(outside: &Outside, many: usize) -> Vec<TcpStream> {
    let get = "GET /v1/products?page_size=40 HTTP/1.1\r\nhost: x\r\n\r\n";
    silent(outside, many, get.repeat(20).as_bytes()).await
}

/// Answers of HTTP/2, of which a byte may come at a time.
async fn unread_streams(outside: &Outside, many: usize) -> JoinSet<()> {
    let mut connections = JoinSet::new();
    for _ in 0..many {
        let Ok(tcp) = TcpStream::connect(outside.address).await else { continue };
        let shaken = h2::client::Builder::new().initial_window_size(1).handshake::<_, bytes::Bytes>(tcp).await;
        let Ok((mut requests, connection)) = shaken else { continue };
        let uri = outside.url("/v1/products?page_size=40");
        connections.spawn(async move {
            let asks = async {
                let mut answers = Vec::new();
                for _ in 0..100 {
                    let request = Request::builder().uri(&uri).body(()).unwrap();
                    let Ok(ready) = requests.ready().await else { break };
                    requests = ready;
                    answers.extend(requests.send_request(request, true));
                }
                std::future::pending::<()>().await;
            };
            // It ends where it is ended.
            tokio::select! {
                _ = connection => {}
                () = asks => {}
            }
        });
    }
    connections
}

/// Bodies that are announced as large, or are not announced.
async fn endless(outside: &Outside, most: usize) {
    let chunk = [format!("{:x}\r\n", 64 << 10).as_bytes(), &[b' '; 64 << 10], b"\r\n"].concat();
    let chunked =
        "POST /v1/accounts HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let sends = (0..16).map(|number| {
        let (head, chunk) =
            if number % 2 == 0 { (post(most), vec![b' '; 64 << 10]) } else { (chunked.to_owned(), chunk.clone()) };
        async move {
            let Ok(mut stream) = TcpStream::connect(outside.address).await else { return };
            let _ = stream.write_all(head.as_bytes()).await;
            let mut sent = 0;
            while sent < most && stream.write_all(&chunk).await.is_ok() {
                sent += chunk.len();
            }
            assert!(sent < most, "nobody takes all of it");
        }
    });
    futures::future::join_all(sends).await;
}

async fn headers(outside: &Outside, many: usize) -> Vec<TcpStream> {
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(1 << 20));
    let most = (0..10_000).map(|number| format!("x-{number}: 1\r\n")).collect::<String>();
    let most = format!("GET / HTTP/1.1\r\nhost: x\r\n{most}\r\n");
    let mut all = silent(outside, many, long.as_bytes()).await;
    all.extend(silent(outside, many, most.as_bytes()).await);
    all
}

/// What begins HTTP/2, with settings that change nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header that is said once and named by a byte ever after: 16 KiB are 64 MiB.
async fn unpacked_headers(outside: &Outside, many: usize) -> Vec<TcpStream> {
    // `x: aaa…`, kept; then 0xbe, which is the newest that is kept.
    let value = vec![b'a'; 4_000];
    // 127 and the rest of 4,000, seven bits at a time, the lowest first.
    let header = [&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e][..], &value, &[0xbe; 12_000]].concat();
    let bombs = (0..20).flat_map(|number| frame(HEADERS, END_HEADERS | END_STREAM, 2 * number + 1, &header));
    let says = PREFACE.iter().copied().chain(bombs).collect::<Vec<_>>();
    silent(outside, many, &says).await
}

/// Headers that go on and on, until the connection is closed.
async fn continued(outside: &Outside, many: usize) {
    let floods = (0..many).map(|number| async move {
        let Some(mut stream) = dial(outside).await else { return };
        let payload = if number % 2 == 0 { Vec::new() } else { vec![0; 16 << 10] };
        let begins = [PREFACE, &frame(HEADERS, END_STREAM, 1, &[0x82])].concat();
        let _ = stream.write_all(&begins).await;
        let goes_on = frame(CONTINUATION, 0, 1, &payload).repeat(if number % 2 == 0 { 1_000 } else { 1 });
        let mut frames = 0;
        while stream.write_all(&goes_on).await.is_ok() {
            frames += 1;
            assert!(frames < 100_000, "nobody takes all of it");
        }
    });
    futures::future::join_all(floods).await;
}

/// A message of zeros, packed once and twice.
async fn packed(outside: &Outside, bytes: usize) {
    let gzip = |write: &dyn Fn(&mut GzEncoder<Vec<u8>>)| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        write(&mut encoder);
        encoder.finish().unwrap()
    };
    let once = gzip(&|encoder| (0..bytes >> 20).for_each(|_| encoder.write_all(&[0; 1 << 20]).unwrap()));
    let twice = gzip(&|encoder| encoder.write_all(&once).unwrap());
    let client = tradewind_runtime::direct().build().unwrap();
    let sends = (0..64).map(|number| {
        let bomb = if number % 2 == 0 { &once } else { &twice };
        let body = [&[1][..], &u32::try_from(bomb.len()).unwrap().to_be_bytes(), bomb].concat();
        let post = client.post(outside.url("/tradewind.catalog.v1.CatalogService/GetProduct"));
        let post = post.header("content-type", "application/grpc-web").header("grpc-encoding", "gzip").body(body);
        async move {
            let answer = post.send().await.unwrap();
            let status = answer.headers().get("grpc-status").map(|status| status.as_bytes().to_vec());
            assert!(status.is_some_and(|status| status != b"0"), "it is refused");
        }
    });
    futures::future::join_all(sends).await;
}

async fn values(outside: &Outside, many: usize) {
    let client = tradewind_runtime::direct().build().unwrap();
    let (empty, nested) = ("{},".repeat(300_000), "[".repeat(1_000_000));
    let sends = (0..many).map(|number| {
        let body = if number % 2 == 0 { format!("{{\"email\":[{empty}{{}}]}}") } else { nested.clone() };
        let post = client.post(outside.url("/v1/accounts")).header("content-type", "application/json").body(body);
        async move {
            // Not all of them have room at once.
            let status = post.send().await.unwrap().status().as_u16();
            assert!([413, 503].contains(&status), "{status}");
        }
    });
    futures::future::join_all(sends).await;
}

/// Requests that are taken back: at once, or when the first have been worked for.
async fn taken_back(outside: &Outside, many: usize) {
    let resets = (0..many).map(|number| async move {
        let tcp = TcpStream::connect(outside.address).await.unwrap();
        let Ok((mut requests, connection)) = h2::client::handshake(tcp).await else { return };
        let ended = tokio::spawn(connection);
        let uri = outside.url("/v1/products?page_size=40");
        let mut count = 0;
        // Until it is closed.
        loop {
            let request = Request::builder().uri(&uri).body(()).unwrap();
            let Ok(ready) = requests.ready().await else { break };
            requests = ready;
            let Ok((_, mut stream)) = requests.send_request(request, true) else { break };
            if number % 2 == 0 && count % 50 == 0 {
                tokio::task::yield_now().await;
            }
            stream.send_reset(h2::Reason::CANCEL);
            count += 1;
            assert!(count < 100_000, "nobody takes all of them");
        }
        // With an error, or without.
        let _ended = ended.await.unwrap();
    });
    futures::future::join_all(resets).await;
}
