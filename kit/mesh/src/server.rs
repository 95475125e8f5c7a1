//! The server's end: lets in workloads of our trust domain, and serves their calls.

mod accept;
mod audit;
mod authorize;
mod call;
mod connection;
mod fault;
mod handle;
mod identify;
mod keyed;
mod owners;
mod streams;
mod user;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tradewind_admission::{Listener, Load, RateLimits, Rates, Shed};

use self::accept::{Places, accept};
use self::call::Gate;
use self::connection::{AGE, Connections, IDLE};
use self::handle::Handlers;
pub use self::identify::peer;
pub use self::keyed::{keyed, principal};
pub use self::owners::Owners;
use self::user::Users;
pub use self::user::user;
use crate::faults::Faults;
use crate::{Error, Identity, Policy, Result, metrics, tls};

/// A bound mTLS server that does not serve yet.
pub struct Server {
    listener: Listener,
    address: SocketAddr,
    acceptor: TlsAcceptor,
    identity: Identity,
    policy: Policy,
    context: String,
    age: Duration,
    idle: Duration,
    rates: Rates,
    shed: Arc<Shed>,
    faults: Faults,
    owners: Owners,
}

/// What a server has to do, for whoever wants to know.
#[derive(Clone)]
pub struct Loads(Arc<Shed>);

impl Loads {
    /// As of now.
    #[must_use]
    pub fn now(&self) -> Load {
        self.0.load()
    }
}

impl Server {
    /// [Listens](Listener) on `address` as `context`, under whose name the policy is looked up.
    pub async fn bind(address: SocketAddr, identity: Identity, policy: Policy, context: &str) -> Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(tls::server(&identity)?));
        let listen = |source| Error::Listen { address, source };
        let listener = Listener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let shed = Shed::new(Instant::now());
        shed.watch();
        Ok(Self {
            listener,
            address,
            acceptor,
            identity,
            policy,
            context: context.to_owned(),
            age: AGE,
            idle: IDLE,
            rates: Rates::default(),
            shed,
            faults: Faults::default(),
            owners: Owners::default(),
        })
    }

    /// Lets each caller call only so often; unless told, as often as it likes.
    #[must_use]
    pub fn limiting(mut self, rates: RateLimits) -> Self {
        self.rates = Rates::new(rates);
        self
    }

    /// Drains connections without calls after this time instead of five minutes.
    #[must_use]
    pub const fn idle_after(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// What it has to do, once it serves.
    #[must_use]
    pub fn loads(&self) -> Loads {
        Loads(self.shed.clone())
    }

    /// Drains connections at this age instead of after ten minutes.
    #[must_use]
    pub const fn draining_after(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Puts these faults into the calls that it serves.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Asks these whose an object is that a request names.
    #[must_use]
    pub fn with_owners(mut self, owners: Owners) -> Self {
        self.owners = owners;
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
        let users = Users::new(self.identity.clone(), &self.context, self.owners);
        let connections = Connections {
            acceptor: self.acceptor,
            identity: self.identity,
            gate: Arc::new(Gate::new(
                self.policy,
                self.rates,
                users,
                self.shed,
                self.faults,
                Handlers::new(self.context, routes),
                stop.clone(),
            )),
            stop: stop.clone(),
            kill: CancellationToken::new(),
            age: self.age,
            idle: self.idle,
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
