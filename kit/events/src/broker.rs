//! The connection to NATS. It is made and remade in the background for ever: nothing here waits for a broker, because
//! nothing in the system needs one to be correct.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_nats::jetstream;
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use tokio::sync::watch;
use tradewind_domain::Error;

use crate::metrics::metrics;

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
    /// The client's name in the broker's monitoring.
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
}

/// The state of the connection. Every new connection has a higher epoch: what a consumer knew of the last one is void.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) epoch: u64,
    pub(crate) up: bool,
}

impl Broker {
    /// Returns at once; the connection is made, and remade whenever it breaks, in the background.
    ///
    /// # Errors
    /// `Invalid` with reason `BROKER_URL_INVALID` when the URL cannot be read.
    pub async fn connect(options: BrokerOptions) -> Result<Self, Error> {
        let invalid = |cause: &dyn std::fmt::Display| Error::invalid("url", "BROKER_URL_INVALID", cause.to_string());
        let servers = options
            .url
            .split(',')
            .map(|server| server.trim().parse::<ServerAddr>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|cause| invalid(&cause))?;
        let (sender, link) = watch::channel(Link::default());
        let mut connect = ConnectOptions::new()
            .name(options.name)
            .retry_on_initial_connect()
            .max_reconnects(None)
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(PING)
            .reconnect_delay_callback(reconnect_delay)
            .event_callback(move |event| {
                note(&sender, &event);
                std::future::ready(())
            });
        if let Some(tls) = options.tls {
            connect = connect.tls_client_config(tls);
        }
        let client = connect.connect(servers).await.map_err(|cause| invalid(&cause))?;
        let jetstream = jetstream::context::ContextBuilder::new()
            .timeout(REQUEST_TIMEOUT)
            .ack_timeout(REQUEST_TIMEOUT)
            .build(client.clone());
        let inner = Arc::new(Inner { client, jetstream, link });
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
            return Err(Error::unavailable("BROKER_DISCONNECTED", "the broker is not connected"));
        }
        match self.inner.version() {
            Some(version) if !is_supported(&version) => Err(Error::unavailable("BROKER_TOO_OLD", too_old(&version))),
            _ => Ok(()),
        }
    }

    /// The version of the connected server, or of the last one.
    #[must_use]
    pub fn server_version(&self) -> Option<String> {
        self.inner.version()
    }

    pub(crate) fn client(&self) -> &Client {
        &self.inner.client
    }

    pub(crate) fn jetstream(&self) -> &jetstream::Context {
        &self.inner.jetstream
    }

    /// The connection's state and its changes.
    pub(crate) fn link(&self) -> watch::Receiver<Link> {
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

fn note(link: &watch::Sender<Link>, event: &Event) {
    match event {
        Event::Connected => link.send_modify(|link| {
            link.epoch += 1;
            link.up = true;
        }),
        Event::Disconnected | Event::Closed => link.send_modify(|link| link.up = false),
        // Each attempt to reconnect reports one; that the broker is away has been said once.
        Event::ClientError(_) if !link.borrow().up => tracing::debug!(%event, "no connection to the broker yet"),
        Event::SlowConsumer(_) | Event::ServerError(_) | Event::ClientError(_) => {
            tracing::warn!(%event, "the broker's client reports a fault");
        }
        Event::LameDuckMode | Event::Draining => {}
    }
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
        let supported = is_supported(&version);
        metrics().broker_connected.record(u64::from(supported), &[]);
        if supported {
            tracing::info!(%version, "the broker is connected");
        } else {
            tracing::error!(%version, "{}", too_old(&version));
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

fn too_old(version: &str) -> String {
    format!("nats-server {version} is too old: {}.{} or newer is needed", FLOOR.0, FLOOR.1)
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
