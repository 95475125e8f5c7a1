//! The server's end: lets in workloads of our trust domain, and serves their calls.

mod call;
mod connection;
mod keyed;
mod load;
mod message;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic::{Code, Request, Status};

use self::call::Gate;
pub(crate) use self::connection::jitter;
use self::connection::{AGE, Connections};
pub use self::keyed::keyed;
use crate::status::Layer;
use crate::{Error, Identity, Policy, Result, SpiffeId, status, tls};

/// Connections a server holds at once, handshakes included; more wait in the kernel's queue.
const CONNECTIONS: usize = 4096;
/// Handshakes under way at once, so that strangers cannot take every connection.
const HANDSHAKES: usize = 256;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// What a handshake has instead while most places are taken, so that those who say nothing hold up nobody for long.
const HURRIED_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(1);

/// The workload at the other end of a call.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its verified identity.
    pub id: SpiffeId,
    /// Where its connection comes from.
    pub address: SocketAddr,
}

/// The workload that made `request`; every call that a [`Server`] hands on has one.
pub fn peer<T>(request: &Request<T>) -> Result<&Peer, Status> {
    request.extensions().get::<Arc<Peer>>().map(AsRef::as_ref).ok_or_else(|| {
        status::refusal(Layer::Identify, Code::Unauthenticated, "NO_PEER", "the caller is not known", [])
    })
}

/// A bound mTLS server that does not serve yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: TlsAcceptor,
    identity: Identity,
    policy: Policy,
    context: String,
    age: Duration,
}

impl Server {
    /// Listens on `address` as `context`, under whose name the policy is looked up.
    pub async fn bind(address: SocketAddr, identity: Identity, policy: Policy, context: &str) -> Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(tls::server(&identity)?));
        let listen = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { listener, address, acceptor, identity, policy, context: context.to_owned(), age: AGE })
    }

    /// Drains connections at this age instead of after ten minutes.
    #[must_use]
    pub const fn draining_after(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// The address it listens on, with the port the system chose where port 0 was asked for.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`; then accepts nothing more, ends streams with `UNAVAILABLE`, lets unary calls in flight finish for
    /// up to `grace`, and returns.
    pub async fn serve(self, routes: Routes, stop: CancellationToken, grace: Duration) -> Result<()> {
        let connections = Connections {
            acceptor: self.acceptor,
            identity: self.identity,
            gate: Arc::new(Gate::new(self.policy, self.context, routes, stop.clone())),
            stop: stop.clone(),
            kill: CancellationToken::new(),
            age: self.age,
        };
        let places = Places {
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
            handshakes: Arc::new(Semaphore::new(HANDSHAKES)),
        };
        let open = TaskTracker::new();
        while let Some(place) = stop.run_until_cancelled(places.take()).await {
            let Some((tcp, address)) = stop.run_until_cancelled(accept(&self.listener)).await else { break };
            open.spawn(connections.clone().run(tcp, address, place));
        }
        // Closed before the drain, so that a new client is refused instead of left waiting.
        drop(self.listener);
        open.close();
        if tokio::time::timeout(grace, open.wait()).await.is_err() {
            tracing::warn!(connections = open.len(), "calls still in flight after the grace period are cut off");
            connections.kill.cancel();
            open.wait().await;
        }
        Ok(())
    }
}

/// Room for one more connection and its handshake.
struct Place {
    connection: OwnedSemaphorePermit,
    handshake: OwnedSemaphorePermit,
}

impl Place {
    /// How long the handshake may take that starts now.
    fn patience(&self) -> Duration {
        let free = self.handshake.semaphore().available_permits();
        if free < HANDSHAKES / 2 { HURRIED_HANDSHAKE_TIMEOUT } else { HANDSHAKE_TIMEOUT }
    }
}

struct Places {
    connections: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
}

impl Places {
    #[expect(clippy::expect_used, reason = "the semaphores are never closed")]
    async fn take(&self) -> Place {
        let connection = self.connections.clone().acquire_owned().await.expect("never closed");
        let handshake = self.handshakes.clone().acquire_owned().await.expect("never closed");
        Place { connection, handshake }
    }
}

/// The next connection. Running out of file descriptors passes; giving up would not.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    const FIRST: Duration = Duration::from_millis(5);
    const LONGEST: Duration = Duration::from_secs(1);
    let mut pause = FIRST;
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections at the moment");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST);
            }
        }
    }
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
