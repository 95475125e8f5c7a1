//! The server's end: lets in workloads of our trust domain, and serves their calls.

mod accept;
mod audit;
mod authorize;
mod call;
mod connection;
mod handle;
mod identify;
mod keyed;
mod message;
mod shed;
mod streams;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

use self::accept::{Places, accept};
use self::call::Gate;
pub(crate) use self::connection::jitter;
use self::connection::{AGE, Connections};
pub use self::identify::peer;
pub use self::keyed::keyed;
use crate::{Error, Identity, Policy, Result, metrics, tls};

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
        metrics::shadowing(self.policy.is_shadow());
        let connections = Connections {
            acceptor: self.acceptor,
            identity: self.identity,
            gate: Arc::new(Gate::new(self.policy, self.context, routes, stop.clone())),
            stop: stop.clone(),
            kill: CancellationToken::new(),
            age: self.age,
        };
        let places = Places::default();
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
