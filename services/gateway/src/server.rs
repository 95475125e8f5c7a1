//! The listener: whoever comes is let in, over TLS where there is a certificate, within the limits of what one connection and all of
//! them may take.

mod connection;
mod counted;
mod places;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tradewind_edge::{Files, acceptor};
use tradewind_mesh::Listener;
use tradewind_runtime::SettingsError;

use self::connection::Connections;
pub use self::connection::Patience;
use self::places::Places;
use crate::door::Door;
use crate::{metrics, watched};

/// The most connections from one address, unless something else is said.
const OF_ONE: usize = 256;
/// Connections that wait to be accepted; the system may let fewer wait.
const WAITING: u32 = 4_096;

/// The most bytes that the system keeps of what was written and not sent yet: where more fit, whoever reads nothing would have much done
/// for him before it shows, and take memory that nobody counts.
const UNSENT: u32 = 32 << 10;

/// A bound server that does not serve yet.
pub struct Server {
    listener: Listener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    connections: usize,
    of_one: usize,
    patience: Patience,
}

impl Server {
    /// [Listens](Listener) on `address`, over TLS with the certificate of `files`, and holds at most so many connections.
    ///
    /// # Errors
    /// A certificate that cannot be used, before anything was bound, or an address that cannot be bound.
    pub fn bind(address: SocketAddr, files: Option<Files>, connections: usize) -> anyhow::Result<Self> {
        let tls = files.map(|files| acceptor(&files, &["h2", "http/1.1"], watched::certificate)).transpose();
        let tls = tls.map_err(|error| SettingsError::of("tls_certificate", error))?;
        let bound = || SettingsError::of("http_addr", format!("{address} cannot be bound")).to_string();
        let listener = Listener::bind_by(address, listen).with_context(bound)?;
        let address = listener.local_addr()?;
        let (of_one, patience) = (OF_ONE, Patience::default());
        Ok(Self { listener, address, tls, connections, of_one, patience })
    }

    /// Holds at most so many connections from one address, or one /64 of IPv6. Of this machine itself and of the door's proxies, there
    /// may be as many as there are.
    #[must_use]
    pub const fn of_one(mut self, connections: usize) -> Self {
        self.of_one = connections;
        self
    }

    /// Waits so long for whoever says nothing.
    #[must_use]
    pub const fn patient(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// The address it listens on, with the port the system chose where port 0 was asked for.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`; then accepts nothing more, lets what is under way finish for up to `grace`, and returns.
    ///
    /// # Errors
    /// None; it ends in order whatever happens.
    pub async fn serve(self, door: Arc<Door>, stop: CancellationToken, grace: Duration) -> anyhow::Result<()> {
        metrics::watch();
        let Self { listener, tls, connections, of_one, patience, .. } = self;
        let places = Places::new(door.crowd().clone(), connections, of_one);
        let kill = CancellationToken::new();
        let connections = Arc::new(Connections::new(door.clone(), tls, patience, stop.clone(), kill.clone()));
        let open = TaskTracker::new();
        while let Some((tcp, peer)) = stop.run_until_cancelled(accept(&listener)).await {
            let is_proxy = door.trusts(peer.ip());
            let Some(place) = stop.run_until_cancelled(places.take(peer.ip(), is_proxy)).await else { break };
            let Some(place) = place else { continue };
            let connections = connections.clone();
            open.spawn(async move { connections.run(tcp, peer, place).await });
        }
        // Closed before the drain, so that a new client is refused instead of left waiting.
        drop(listener);
        open.close();
        if tokio::time::timeout(grace, open.wait()).await.is_err() {
            tracing::warn!(connections = open.len(), "requests still under way after the grace period are cut off");
            kill.cancel();
            open.wait().await;
        }
        Ok(())
    }
}

/// Listens, with room for as many who have come at once as the system lets wait.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Whoever was served before may not be quite gone.
    socket.set_reuseaddr(true)?;
    // Those that are accepted have it from here.
    socket2::SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// The next connection. Running out of file descriptors passes; giving up would not.
async fn accept(listener: &Listener) -> (TcpStream, SocketAddr) {
    const PAUSE: Duration = Duration::from_millis(50);
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
