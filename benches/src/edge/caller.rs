//! Whoever asks: some connections that are kept, and on each as many requests at once as its protocol carries.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::load::For;
use crate::mesh::Call;

/// Requests at once.
const BUSY: usize = 32;
/// Connections of HTTP/2 that carry them.
const CONNECTIONS: usize = 2;

type Body = Full<Bytes>;

/// A version of HTTP.
#[derive(Clone, Copy)]
pub(super) enum Http {
    One,
    Two,
}

impl Http {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::One => "HTTP/1.1",
            Self::Two => "HTTP/2",
        }
    }
}

/// Somebody with connections to one address.
pub(super) struct Caller(Vec<Sender>);

enum Sender {
    One(http1::SendRequest<Body>),
    Two(http2::SendRequest<Body>),
}

impl Sender {
    async fn open(http: Http, address: SocketAddr) -> Result<Self> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let io = TokioIo::new(tcp);
        Ok(match http {
            Http::One => {
                let (sender, connection) = http1::handshake(io).await?;
                tokio::spawn(connection);
                Self::One(sender)
            }
            Http::Two => {
                let builder = http2::Builder::new(TokioExecutor::new());
                let (sender, connection) = builder.handshake(io).await?;
                tokio::spawn(connection);
                Self::Two(sender)
            }
        })
    }

    /// Sends a request and reads its answer to the end.
    async fn ask(&mut self, request: &Request<Body>) -> Result<()> {
        let answered = match self {
            Self::One(sender) => {
                sender.ready().await?;
                sender.send_request(request.clone()).await?
            }
            Self::Two(sender) => {
                sender.ready().await?;
                sender.send_request(request.clone()).await?
            }
        };
        let (head, body) = answered.into_parts();
        let body = body.collect().await?.to_bytes();
        let said = || String::from_utf8_lossy(&body).into_owned();
        ensure!(head.status == StatusCode::OK, "{} is answered {}: {}", request.uri(), head.status, said());
        Ok(())
    }
}

impl Caller {
    pub(super) async fn open(http: Http, address: SocketAddr) -> Result<Self> {
        let mut senders = Vec::with_capacity(BUSY);
        let connections = match http {
            Http::One => BUSY,
            Http::Two => CONNECTIONS,
        };
        for _ in 0..connections {
            senders.push(Sender::open(http, address).await.with_context(|| format!("no connection to {address}"))?);
        }
        for at in connections..BUSY {
            if let Sender::Two(sender) = &senders[at % connections] {
                senders.push(Sender::Two(sender.clone()));
            }
        }
        Ok(Self(senders))
    }

    /// Asks the same again and again for a time, many times at once, and tells how often it was answered.
    pub(super) async fn load(&mut self, request: &Request<Body>, time: For) -> Result<u64> {
        let end = time.end();
        let asking = self.0.iter_mut().map(async |sender| -> Result<u64> {
            let mut answered = 0;
            while Instant::now() < end {
                sender.ask(request).await?;
                answered += 1;
            }
            Ok(answered)
        });
        Ok(futures::future::try_join_all(asking).await?.into_iter().sum())
    }

    /// Asks the same once a call, on one connection.
    pub(super) fn one_by_one(mut self, request: &Request<Body>) -> Result<Call> {
        let sender = self.0.pop().context("no connection")?;
        let (sender, request) = (Arc::new(Mutex::new(sender)), Arc::new(request.clone()));
        Ok(Arc::new(move || {
            let (sender, request) = (sender.clone(), request.clone());
            Box::pin(async move { sender.lock().await.ask(&request).await })
        }))
    }
}
