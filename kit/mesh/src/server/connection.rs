//! One connection: handshake, then calls until it is closed, too old, or the server stops.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::accept::{self, Place};
use super::call::Gate;
use super::identify::Caller;
use super::streams::Streams;
use crate::gather::Gather;
use crate::handshake::{self, EXPIRY_GRACE, Failure};
use crate::{Identity, Opened, jitter, metrics, tls};

/// How long a connection lives before it is drained, so that an identity that was replaced or
/// withdrawn doesn't live on in old connections; up to a tenth more, so that not all go at once.
pub(super) const AGE: Duration = Duration::from_secs(600);
/// How long a connection that is too old may take to finish its calls.
const AGE_GRACE: Duration = Duration::from_secs(60);
/// Calls and streams that a connection carries at once.
const STREAMS: u32 = 200;
/// What the headers of one call may take.
const HEADERS: u32 = 16 << 10;
/// Calls that a peer may take back before they are served, and those of its mistakes that are answered, before its connection is
/// closed: who opens and resets streams without end has nothing to ask.
const RESETS: usize = 200;
const MISTAKES: usize = 256;
/// What is kept of an answer that its caller doesn't read.
const UNREAD: usize = 256 << 10;
/// How long a connection may be without a call before it is drained, and how long where most places for connections are taken.
pub(super) const IDLE: Duration = Duration::from_secs(300);
const IDLE_WHERE_CROWDED: u32 = 10;
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// What all connections of a server share.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) acceptor: TlsAcceptor,
    pub(super) identity: Identity,
    pub(super) gate: Arc<Gate>,
    /// Finish what is in flight.
    pub(super) stop: CancellationToken,
    /// Finish at once.
    pub(super) kill: CancellationToken,
    /// When a connection is drained.
    pub(super) age: Duration,
    /// When one is that nobody uses.
    pub(super) idle: Duration,
}

impl Connections {
    pub(super) async fn run(self, tcp: TcpStream, address: SocketAddr, place: Place) {
        let opened = self.identity.opened();
        let handshake = tokio::time::timeout(place.patience(), self.handshake(tcp, address));
        let held = place.connection;
        let outcome = match self.stop.run_until_cancelled(handshake).await {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(Failure::TimedOut),
            None => return,
        };
        drop(place.handshake);
        match outcome {
            Ok((stream, caller)) => {
                metrics::handshaken(None, None);
                self.serve(stream, caller, opened, held).await;
            }
            Err(failure) => {
                handshake::failed(&failure, None);
                match failure {
                    // What a port check does; nobody was turned away.
                    Failure::Closed => tracing::debug!(peer = %address, reason = %failure, "connection refused"),
                    _ => tracing::warn!(peer = %address, reason = %failure, "connection refused"),
                }
            }
        }
    }

    async fn handshake(&self, tcp: TcpStream, address: SocketAddr) -> Result<(TlsStream<TcpStream>, Caller), Failure> {
        tcp.set_nodelay(true)?;
        let stream = self.acceptor.accept(tcp).await?;
        let leaf = tls::peer(stream.get_ref().1.peer_certificates())?;
        Ok((stream, Caller::new(leaf, address)))
    }

    async fn serve(self, stream: TlsStream<TcpStream>, caller: Caller, opened: Opened, place: OwnedSemaphorePermit) {
        let (gate, peer, expired) = (self.gate, caller.peer.clone(), caller.expired.clone());
        let expiry = caller.expires + EXPIRY_GRACE;
        let drain = self.stop.child_token();
        let streams = Streams::new(drain.clone());
        let idle = Idle::new(self.idle, streams.clone());
        let calls = idle.calls.clone();
        let service = service_fn(move |request| {
            opened.called();
            calls.fetch_add(1, Ordering::Relaxed);
            let handling = gate.clone().handle(request, caller.clone(), streams.clone());
            // It is large, and is moved some times before it runs.
            Box::pin(handling)
        });
        let mut connection = pin!(
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(STREAMS)
                .max_header_list_size(HEADERS)
                .max_pending_accept_reset_streams(RESETS)
                .max_local_error_reset_streams(MISTAKES)
                .max_send_buf_size(UNREAD)
                .keep_alive_interval(PING_INTERVAL)
                .keep_alive_timeout(PING_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service)
        );
        let too_old = tokio::time::Instant::now() + self.age + jitter(self.age / 10);
        let mut old = pin!(tokio::time::sleep_until(too_old.min(expiry)));
        let mut unused = pin!(idle.watch(&place));
        let mut draining = false;
        let mut gather = Gather::default();
        loop {
            tokio::select! {
                ended = poll_fn(|cx| gather.poll(connection.as_mut(), cx)) => {
                    if let Err(error) = ended {
                        tracing::debug!(peer = %peer.address, caller = peer.id.name(), %error, "connection ended");
                    }
                    return;
                }
                () = self.kill.cancelled() => return,
                () = self.stop.cancelled(), if !draining => {
                    draining = true;
                    old.as_mut().reset(tokio::time::Instant::now() + self.age);
                    connection.as_mut().graceful_shutdown();
                }
                () = async {
                    tokio::select! {
                        () = &mut old => {}
                        () = expired.cancelled(), if !draining => {}
                        () = &mut unused, if !draining => {}
                    }
                } => {
                    if draining {
                        tracing::debug!(peer = %peer.address, caller = peer.id.name(), "old connection cut off");
                        return;
                    }
                    draining = true;
                    // Streams would outlive it: they are told, and go on elsewhere.
                    drain.cancel();
                    old.as_mut().reset(tokio::time::Instant::now() + AGE_GRACE);
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Whether anybody uses a connection.
struct Idle {
    after: Duration,
    /// Begun so far.
    calls: Arc<AtomicUsize>,
    streams: Streams,
}

impl Idle {
    fn new(after: Duration, streams: Streams) -> Self {
        Self { after, calls: Arc::default(), streams }
    }

    /// Ends when nobody has for long enough. What is under way then is finished: a call lasts for less, and streams are looked at.
    async fn watch(self, place: &OwnedSemaphorePermit) {
        let step = self.after / IDLE_WHERE_CROWDED;
        let (mut before, mut steps) = (0, 0);
        loop {
            tokio::time::sleep(step).await;
            let calls = self.calls.load(Ordering::Relaxed);
            steps = if calls == before && self.streams.are_none() { steps + 1 } else { 0 };
            before = calls;
            if steps >= IDLE_WHERE_CROWDED || (steps > 0 && accept::is_crowded(place)) {
                return;
            }
        }
    }
}
