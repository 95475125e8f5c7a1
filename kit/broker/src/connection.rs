//! The connection to NATS. It is made and remade in the background for ever: nothing here waits for a broker, because
//! nothing in the system needs one to be correct.

mod address;
mod watcher;

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_nats::jetstream;
use async_nats::{Client, ConnectOptions};
use tokio::sync::watch;
use tradewind_domain::Error;

pub use self::address::check_broker_url;
use self::watcher::Watcher;
use crate::metrics::metrics;
use crate::wire;

/// The oldest server that has what the engine uses.
const FLOOR: (u64, u64) = (2, 9);
const RECONNECT_CAP: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const PING: Duration = Duration::from_secs(10);

/// Where the broker is and who connects.
pub struct BrokerOptions {
    /// `nats://host:port` or `tls://host:port`; several servers of one cluster are separated by commas.
    pub url: String,
    /// Roots and client certificate for `tls://`.
    pub tls: Option<rustls::ClientConfig>,
    /// The service's name: the client's in the broker's monitoring, and where replies to it go.
    pub name: String,
}

/// A connection to the broker; clones share it.
#[derive(Clone)]
pub struct Broker {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    jetstream: jetstream::Context,
    link: watch::Receiver<Link>,
    watcher: Arc<Watcher>,
}

/// The state of the connection. Every new connection has a higher epoch: what a consumer knew of the last one is void.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    pub epoch: u64,
    pub up: bool,
}

impl Broker {
    /// Returns at once; the connection is made, and remade whenever it breaks, in the background.
    ///
    /// # Errors
    /// `Invalid` with reason `BROKER_URL_INVALID` when the URL cannot be read.
    pub async fn connect(options: BrokerOptions) -> Result<Self, Error> {
        let (servers, credentials) = address::parse(&options.url)?;
        let (sender, link) = watch::channel(Link::default());
        let watcher = Arc::new(Watcher::new(sender));
        let (told, asked) = (Arc::clone(&watcher), Arc::clone(&watcher));
        let mut connect = credentials
            .present(ConnectOptions::new())
            .custom_inbox_prefix(wire::inbox(&options.name))
            .name(options.name)
            .retry_on_initial_connect()
            .max_reconnects(None)
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(PING)
            .reconnect_delay_callback(reconnect_delay)
            .event_callback(move |event| {
                told.note(&event);
                std::future::ready(())
            })
            .reconnect_to_server_callback(move |servers, _| {
                asked.tries(&servers);
                // The client chooses.
                std::future::ready(None)
            });
        if let Some(tls) = options.tls {
            connect = connect.tls_client_config(tls);
        }
        let client = connect
            .connect(servers)
            .await
            .map_err(|cause| Error::invalid("url", "BROKER_URL_INVALID", cause.to_string()))?;
        let jetstream = jetstream::context::ContextBuilder::new()
            .timeout(REQUEST_TIMEOUT)
            .ack_timeout(REQUEST_TIMEOUT)
            .build(client.clone());
        let inner = Arc::new(Inner { client, jetstream, link, watcher });
        tokio::spawn(watch_server(Arc::downgrade(&inner), inner.link.clone()));
        Ok(Self { inner })
    }

    /// Tells whether a server that is new enough is connected at the moment.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.inner.is_connected()
    }

    /// For readiness: `Ok` while connected.
    ///
    /// # Errors
    /// `Unavailable` with reason `BROKER_DISCONNECTED`, or `BROKER_TOO_OLD` for a server that lacks what is needed.
    pub fn ready(&self) -> Result<(), Error> {
        if !self.inner.link.borrow().up {
            let why = self.inner.watcher.failure().unwrap_or_else(|| "the broker is not connected".to_owned());
            return Err(Error::unavailable("BROKER_DISCONNECTED", why));
        }
        self.inner.version().map_or(Ok(()), |version| Self::supports(&version))
    }

    /// Tells whether a server of that version has what the engine uses.
    ///
    /// # Errors
    /// `Unavailable` with reason `BROKER_TOO_OLD` where it has not.
    pub fn supports(version: &str) -> Result<(), Error> {
        if is_supported(version) {
            return Ok(());
        }
        let (major, minor) = FLOOR;
        let text = format!("nats-server {version} is too old: {major}.{minor} or newer is needed");
        Err(Error::unavailable("BROKER_TOO_OLD", text))
    }

    /// The version of the connected server, or of the last one.
    #[must_use]
    pub fn server_version(&self) -> Option<String> {
        self.inner.version()
    }

    pub fn client(&self) -> &Client {
        &self.inner.client
    }

    pub fn jetstream(&self) -> &jetstream::Context {
        &self.inner.jetstream
    }

    /// The connection's state and its changes.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.inner.link.clone()
    }
}

impl Inner {
    fn is_connected(&self) -> bool {
        self.link.borrow().up && self.version().is_some_and(|version| is_supported(&version))
    }

    fn version(&self) -> Option<String> {
        self.client.try_server_info().map(|info| info.version).filter(|version| !version.is_empty())
    }
}

fn reconnect_delay(attempts: usize) -> Duration {
    let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
    Duration::from_millis(20).saturating_mul(attempts).min(RECONNECT_CAP)
}

/// Logs and measures the connection until the last clone of the broker is gone.
async fn watch_server(inner: Weak<Inner>, mut link: watch::Receiver<Link>) {
    metrics().broker_connected.record(0, &[]);
    while link.changed().await.is_ok() {
        let state = *link.borrow_and_update();
        if !state.up {
            metrics().broker_connected.record(0, &[]);
            tracing::warn!("the broker is disconnected; events travel through their owners until it is back");
            continue;
        }
        let Some(version) = server_version(&inner).await else { continue };
        let supported = Broker::supports(&version);
        metrics().broker_connected.record(u64::from(supported.is_ok()), &[]);
        match supported {
            Ok(()) => tracing::info!(%version, "the broker is connected"),
            Err(error) => tracing::error!(%version, %error, "the broker is not used"),
        }
    }
}

/// The connection is announced a moment before the server's version is known.
async fn server_version(inner: &Weak<Inner>) -> Option<String> {
    loop {
        let inner = inner.upgrade()?;
        if let Some(version) = inner.version() {
            return Some(version);
        }
        drop(inner);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn is_supported(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= FLOOR,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_below_the_floor_are_refused() {
        for (version, supported) in
            [("2.9.10", true), ("2.14.9", true), ("3.0.0-beta", true), ("2.8.4", false), ("", false)]
        {
            assert_eq!(is_supported(version), supported, "{version}");
        }
    }

    #[test]
    fn reconnecting_never_waits_long() {
        assert!(reconnect_delay(usize::MAX) <= RECONNECT_CAP);
    }
}
