//! One connection: handshake, then requests until it is closed, rests too long, or the server stops.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::counted::Counted;
use super::places::Place;
use crate::crowd::{Activity, Idle};
use crate::door::Door;
use crate::metrics;

/// How long a server waits for whoever says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a handshake, and then for a first request.
    pub first: Duration,
    /// For the headers of a request, once they have begun.
    pub headers: Duration,
    /// For the next request.
    pub rest: Duration,
    /// For an answer to be read, where it is large.
    pub read: Duration,
    /// For a connection to close that is to.
    pub last: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { first: seconds(15), headers: seconds(10), rest: seconds(75), read: seconds(120), last: seconds(5) }
    }
}

/// What the headers of one request may take; a path and its query are the most of it.
const HEADER_BYTES: u32 = 32 << 10;
/// Requests that an HTTP/2 connection carries at once, those that a peer may take back before they are answered, and those of its
/// mistakes that are answered before it is closed.
const STREAMS: u32 = 100;
const RESETS: usize = 100;
const MISTAKES: usize = 128;
/// What may come of bodies before it is read, on one stream and on all; what is kept of answers that nobody reads.
const STREAM_WINDOW: u32 = 64 << 10;
const WINDOW: u32 = 64 << 10;
const UNREAD: usize = 32 << 10;
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(10);

/// What all connections of a server share.
pub(super) struct Connections {
    door: Arc<Door>,
    tls: Option<TlsAcceptor>,
    http: Builder<TokioExecutor>,
    patience: Patience,
    /// Finish what is under way.
    stop: CancellationToken,
    /// Finish at once.
    kill: CancellationToken,
}

impl Connections {
    pub(super) fn new(
        door: Arc<Door>,
        tls: Option<TlsAcceptor>,
        patience: Patience,
        stop: CancellationToken,
        kill: CancellationToken,
    ) -> Self {
        let mut http = Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new()).header_read_timeout(patience.headers).max_buf_size(HEADER_BYTES as usize);
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEADER_BYTES)
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(MISTAKES)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_send_buf_size(UNREAD)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG);
        Self { door, tls, http, patience, stop, kill }
    }

    pub(super) async fn run(&self, tcp: TcpStream, peer: SocketAddr, place: Place) {
        // A connection that is closed already says so when it is read.
        let _ = tcp.set_nodelay(true);
        let ended = place.activity.ended.clone();
        let Some(tls) = &self.tls else { return self.serve(tcp, peer, &place).await };
        let handshake = tokio::time::timeout(self.patience.first, tls.accept(tcp));
        let handshake = async {
            tokio::select! {
                stream = handshake => Some(stream),
                () = self.stop.cancelled() => None,
                () = ended.cancelled() => None,
            }
        };
        match handshake.await {
            Some(Ok(Ok(stream))) => self.serve(stream, peer, &place).await,
            Some(Ok(Err(error))) => {
                metrics::refused("handshake");
                tracing::debug!(%peer, %error, "handshake failed");
            }
            Some(Err(_)) => metrics::refused("handshake_too_slow"),
            None => {}
        }
    }

    async fn serve<I>(&self, io: I, peer: SocketAddr, place: &Place)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = &place.activity;
        let service = {
            let (door, activity, read) = (self.door.clone(), activity.clone(), self.patience.read);
            service_fn(move |request| door.clone().handle(request, peer.ip(), activity.ask(read)))
        };
        let io = Counted { io, activity: activity.clone() };
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(io), service));
        let mut closing = pin!(self.patience.rested(activity));
        let mut is_closing = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "connection ended");
                    }
                    return;
                }
                () = self.kill.cancelled() => return,
                () = activity.ended.cancelled() => return,
                () = self.stop.cancelled(), if !is_closing => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = closing.as_mut(), if !is_closing => {
                    is_closing = true;
                    metrics::refused("idle");
                    connection.as_mut().graceful_shutdown();
                }
                () = self.patience.closed(activity), if is_closing => return,
            }
        }
    }
}

impl Patience {
    /// Waits until a connection has done nothing for too long.
    async fn rested(self, activity: &Activity) {
        loop {
            let most = match activity.idle() {
                Some(Idle::New(_)) => self.first,
                Some(Idle::Rests(_)) => self.rest,
                Some(Idle::Owed(_)) => self.read,
                None => {
                    tokio::time::sleep(self.rest).await;
                    continue;
                }
            };
            match activity.time() {
                time if time >= most => return,
                time => tokio::time::sleep(most - time).await,
            }
        }
    }

    /// Waits until a connection that is being closed has had its time: whoever never reads is not waited for.
    async fn closed(self, activity: &Activity) {
        loop {
            tokio::time::sleep(self.last).await;
            match activity.idle() {
                Some(Idle::Owed(time)) if time >= self.read => return,
                Some(Idle::New(time) | Idle::Rests(time)) if time >= self.last => return,
                _ => {}
            }
        }
    }
}
