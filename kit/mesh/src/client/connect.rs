//! Keeps an endpoint connected: opens its first connection, another when all are busy, a new one for each that closes or was
//! opened with a certificate that has been replaced, or to a peer whose certificate has expired. Calls never wait for what another endpoint has already.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use super::connection::{Connection, Driver, Io};
use super::endpoint::{Endpoint, Standing};
use crate::handshake::{self, EXPIRY_GRACE, Failure};
use crate::{Error, Identity, Result, jitter, metrics, tls};

/// From the first packet to the end of the handshakes.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Before it is tried again, first and at most. Short, so that whoever comes back is found within a second.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);
/// How long calls may still take on a connection whose peer's certificate has expired.
const LAST_CALLS: Duration = Duration::from_secs(60);

/// What was opened.
pub(super) struct Line {
    pub(super) io: Box<dyn Io>,
    /// When the peer's certificate expires.
    pub(super) expires: Option<Instant>,
}

/// Opens connections to one peer.
pub(super) trait Dial: Send + Sync {
    /// Opens one.
    ///
    /// # Errors
    /// Why not, for people.
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, Result<Line, String>>;

    /// The addresses that a host's name leads to at the moment.
    ///
    /// # Errors
    /// When nobody answers that.
    fn lookup<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(lookup_host((host, port)).await?.collect()) })
    }

    /// As whom: a connection that was opened as somebody before is replaced.
    fn generation(&self) -> watch::Receiver<u64>;
}

/// Opens them over TLS, to nobody who cannot prove to be the peer.
pub(super) struct Secure {
    peer: Arc<str>,
    /// Sent for proxies and logs; what is verified is the SPIFFE id.
    name: ServerName<'static>,
    tls: TlsConnector,
    identity: Identity,
}

impl Secure {
    pub(super) fn new(peer: &str, host: &str, config: Arc<ClientConfig>, identity: Identity) -> Result<Self> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::Name(format!("`{host}` is neither a host's name nor an address")))?;
        Ok(Self { peer: peer.into(), name, tls: TlsConnector::from(config), identity })
    }

    async fn open(&self, address: SocketAddr) -> io::Result<Line> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let refused = |error: io::Error| {
            let kind = error.kind();
            let failure = Failure::from(error);
            handshake::failed(&failure, Some(&self.peer));
            io::Error::new(kind, failure)
        };
        let tls = self.tls.connect(self.name.clone(), tcp).await.map_err(refused)?;
        metrics::handshaken(Some(&self.peer), None);
        let expires = tls::peer(tls.get_ref().1.peer_certificates()).map(|leaf| handshake::expires(&leaf)).ok();
        Ok(Line { io: Box::new(tls), expires })
    }
}

impl Dial for Secure {
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, Result<Line, String>> {
        Box::pin(async move { self.open(address).await.map_err(|error| error.to_string()) })
    }

    fn generation(&self) -> watch::Receiver<u64> {
        self.identity.changed()
    }
}

/// Connects once.
///
/// # Errors
/// Why not, for people.
async fn connect(
    endpoint: &Arc<Endpoint>,
    dial: &dyn Dial,
    generation: u64,
    changed: &Arc<Notify>,
) -> Result<Arc<Connection>, String> {
    let connecting = async {
        let Line { io, expires } = dial.dial(endpoint.address).await?;
        let (connection, driver) = Connection::over(io, generation).await.map_err(|error| error.to_string())?;
        Ok((connection, driver, expires))
    };
    let connected = timeout(TIMEOUT, connecting).await;
    let peer = endpoint.peer.clone();
    let connected = connected.unwrap_or_else(|_| Err("connecting timed out".to_owned()));
    let (connection, mut driver, expires) = connected.inspect_err(|_| metrics::unconnected(&peer))?;
    metrics::connected(&peer);
    let connection = Arc::new(connection);
    let (driven, endpoint, changed) = (Arc::downgrade(&connection), Arc::downgrade(endpoint), changed.clone());
    // Goes on for as long as there are calls on it, whatever becomes of the endpoint.
    tokio::spawn(async move {
        let closed = || {
            if let Some(connection) = driven.upgrade() {
                connection.close();
            }
            if let Some(endpoint) = endpoint.upgrade() {
                endpoint.pool.look.notify_one();
            }
            changed.notify_waiters();
        };
        let ended = match until_expired(&mut driver, expires).await {
            Some(ended) => ended,
            None => {
                tracing::debug!(
                    peer = &*peer,
                    "the certificate of the other end has expired: no more calls over this connection"
                );
                closed();
                timeout(LAST_CALLS, driver).await.unwrap_or("subchannel shutdown")
            }
        };
        metrics::disconnected(&peer, ended);
        closed();
    });
    Ok(connection)
}

/// Keeps a connection going until it ends, and tells why; nothing where the certificate at its other end has expired before.
async fn until_expired(driver: &mut Driver, expires: Option<Instant>) -> Option<&'static str> {
    match expires {
        Some(expires) => timeout_at(expires + EXPIRY_GRACE, driver).await.ok(),
        None => Some(driver.await),
    }
}

/// Keeps `endpoint` connected until it is gone; tells `changed` whenever it takes calls or fails. One that is tried `again` has
/// failed before.
pub(super) async fn keep(endpoint: Arc<Endpoint>, dial: Arc<dyn Dial>, changed: Arc<Notify>, again: bool) {
    let gone = endpoint.gone.clone();
    // What it has ends by itself when the last call on it does.
    gone.run_until_cancelled(keeping(&endpoint, &*dial, &changed, again)).await;
    endpoint.has(Vec::new());
}

async fn keeping(endpoint: &Arc<Endpoint>, dial: &dyn Dial, changed: &Arc<Notify>, again: bool) {
    let mut identity = dial.generation();
    let mut pause = PAUSE;
    loop {
        let generation = *identity.borrow_and_update();
        let mut connections: Vec<_> = endpoint.pool.all().iter().filter(|one| !one.is_closed()).cloned().collect();
        let is_replaced = connections.iter().any(|one| one.generation != generation);
        if !connections.is_empty() && !is_replaced && !endpoint.pool.is_busy() {
            if connections.len() < endpoint.pool.all().len() {
                endpoint.has(connections);
            }
            tokio::select! {
                () = endpoint.pool.look.notified() => {}
                // Not everybody at once.
                _ = identity.changed() => tokio::time::sleep(jitter(LONGEST)).await,
            }
            continue;
        }
        match connect(endpoint, dial, generation, changed).await {
            Ok(connection) => {
                pause = PAUSE;
                connections.retain(|one| one.generation == connection.generation && !one.is_closed());
                connections.push(connection);
                endpoint.has(connections);
                changed.notify_waiters();
            }
            Err(why) => {
                if connections.is_empty() {
                    // Said once, however often it is tried.
                    if endpoint.standing() == Standing::Connecting && !again {
                        tracing::warn!(address = %endpoint.address, why, "cannot connect");
                    }
                    endpoint.fails(why);
                    changed.notify_waiters();
                }
                tokio::time::sleep(pause / 2 + jitter(pause / 2)).await;
                pause = (pause * 2).min(LONGEST);
            }
        }
    }
}
