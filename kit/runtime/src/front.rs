//! What answers at the edge, as its composition root declares it. How it is run must not be here.

use std::{net::SocketAddr, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use tokio_util::sync::CancellationToken;
use tradewind_broker::Broker;
use tradewind_mesh::{Channels, Identity, Policy};

pub(crate) type Open = Box<dyn FnOnce(Outlook) -> BoxFuture<'static, anyhow::Result<Front>> + Send>;
type Serve = Box<dyn FnOnce(CancellationToken, Duration) -> BoxFuture<'static, anyhow::Result<()>> + Send>;

/// Who a process is, and what it sees of the other services.
pub struct Outlook {
    /// The name of the service.
    pub name: &'static str,
    /// As whom it calls.
    pub identity: Identity,
    /// What the contract says of every method.
    pub policy: Policy,
    /// Channels to the other services.
    pub channels: Channels,
    /// The connection to the broker, which may be away; none for one that is [without](crate::Service::without_broker) it.
    pub broker: Option<Broker>,
}

/// What answers at the edge, with its sockets bound.
pub struct Front {
    pub(crate) address: SocketAddr,
    pub(crate) serve: Serve,
}

impl Front {
    /// Listens at `address` already. `serve` answers until it is told to stop, then ends what is under way within the given time.
    pub fn new<F>(address: SocketAddr, serve: impl FnOnce(CancellationToken, Duration) -> F + Send + 'static) -> Self
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        Self { address, serve: Box::new(move |stop, grace| serve(stop, grace).boxed()) }
    }
}
