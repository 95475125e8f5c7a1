//! A program that receives webhooks by HTTP, and answers as a test wants.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tradewind_testing::eventually;

use crate::surroundings::DEADLINE;

/// A request as it came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    /// The event's id.
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// What it says.
    pub(crate) fn said(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The last part of its type.
    pub(crate) fn kind(&self) -> String {
        self.said()["type"].as_str().unwrap().rsplit('.').next().unwrap().to_owned()
    }

    /// What it is about.
    pub(crate) fn subject(&self) -> String {
        self.said()["subject"].as_str().unwrap().to_owned()
    }

    /// How many signatures it has.
    pub(crate) fn signatures(&self) -> usize {
        self.headers["webhook-signature"].split(' ').count()
    }

    /// Whether one of its signatures is that of the secret, as the specification says.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let timestamp = &self.headers["webhook-timestamp"];
        assert!(timestamp.parse::<u64>().is_ok(), "{timestamp}");
        let content = format!("{}.{timestamp}.{}", self.id(), self.body);
        let mut signatures = self.headers["webhook-signature"].split(' ');
        signatures.any(|signature| {
            let signature = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
            hmac::verify(&key, content.as_bytes(), &signature).is_ok()
        })
    }
}

/// How a request is answered.
pub(crate) enum Answer {
    /// By this status alone.
    Status(u16),
    /// By these bytes, and no more.
    Bytes(String),
    /// By this status, and a body that never ends.
    Endless(u16),
    /// That it is taken, once there is a permit.
    Permitted(Arc<Semaphore>),
    /// Never.
    Silence,
}

/// Says how a request is answered before which there were so many.
type Answers = Arc<dyn Fn(&Seen, usize) -> Answer + Send + Sync>;

/// A receiver; it is gone with its test.
pub(crate) struct Receiver {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Receiver {
    /// Takes everything.
    pub(crate) async fn takes() -> Self {
        Self::answers(|_, _| Answer::Status(204)).await
    }

    /// Answers so.
    pub(crate) async fn answers(answers: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(None, Arc::new(answers)).await
    }

    /// Takes everything by TLS.
    pub(crate) async fn takes_by(tls: TlsAcceptor) -> Self {
        Self::start(Some(tls), Arc::new(|_, _| Answer::Status(204))).await
    }

    async fn start(tls: Option<TlsAcceptor>, answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/hook", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, answers, tls) = (Arc::clone(&kept), Arc::clone(&answers), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, kept, answers).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, kept, answers).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { url, seen }
    }

    /// Everything that came.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until so many requests have come, and returns them.
    pub(crate) async fn sees(&self, count: usize) -> Vec<Seen> {
        eventually(DEADLINE, &format!("{count} requests have come"), async || {
            let seen = self.seen();
            if seen.len() >= count { Ok(seen) } else { Err(seen.len()) }
        })
        .await
    }
}

/// A URL where nobody listens, and nobody else can for as long as the socket is kept.
pub(crate) fn nobody() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}/hook", socket.local_addr().unwrap());
    (socket, url)
}

/// Serves a connection for as long as it lasts.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    kept: Arc<Mutex<Vec<Seen>>>,
    answers: Answers,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let seen = request(&mut stream).await?;
        let before = {
            let mut kept = kept.lock().unwrap();
            kept.push(seen.clone());
            kept.len() - 1
        };
        match answers(&seen, before) {
            Answer::Status(status) => {
                let answer = format!("HTTP/1.1 {status} As Wanted\r\ncontent-length: 0\r\n\r\n");
                stream
                    .write_all(if status == 204 { b"HTTP/1.1 204 Taken\r\n\r\n" } else { answer.as_bytes() })
                    .await
                    .ok()?;
                stream.flush().await.ok()?;
            }
            Answer::Bytes(bytes) => {
                stream.write_all(bytes.as_bytes()).await.ok()?;
                return stream.shutdown().await.ok();
            }
            Answer::Endless(status) => {
                let head = format!("HTTP/1.1 {status} For Ever\r\ncontent-length: 99999999999\r\n\r\n");
                stream.write_all(head.as_bytes()).await.ok()?;
                loop {
                    stream.write_all(&[b'x'; 4096]).await.ok()?;
                    stream.flush().await.ok()?;
                }
            }
            Answer::Permitted(permits) => {
                permits.acquire().await.unwrap().forget();
                stream.write_all(b"HTTP/1.1 204 Taken\r\n\r\n").await.ok()?;
                stream.flush().await.ok()?;
            }
            Answer::Silence => tokio::time::sleep(Duration::MAX).await,
        }
    }
}

/// Reads one request with its body.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<_, _> = fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let mut body = vec![0; headers.get("content-length").map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen { head, headers, body: String::from_utf8(body).unwrap() })
}
