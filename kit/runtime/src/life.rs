//! What a service is between bound sockets and its end, whatever it is made of.

use std::{fmt::Display, net::SocketAddr, time::Instant};

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    readiness::Report,
    settings::{Settings, SettingsError},
};

/// Lives until told to stop.
pub(crate) type Life = Box<dyn FnOnce(Born) -> BoxFuture<'static, anyhow::Result<()>> + Send>;

/// What a life is given at its beginning.
pub(crate) struct Born {
    pub(crate) settings: Settings,
    pub(crate) reports: watch::Sender<Report>,
    pub(crate) stop: CancellationToken,
    pub(crate) began: Instant,
    pub(crate) admin_addr: SocketAddr,
}

impl Born {
    /// Says that the service takes calls at `address`, in a protocol by that name.
    pub(crate) fn tell_started(&self, protocol: &'static str, address: SocketAddr) {
        let started_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Self { admin_addr: admin, .. } = self;
        match protocol {
            "http" => tracing::info!(version = crate::VERSION, http = %address, %admin, started_ms, "started"),
            _ => tracing::info!(version = crate::VERSION, grpc = %address, %admin, started_ms, "started"),
        }
    }
}

/// Names the setting of an address that is taken.
pub(crate) fn unbound(key: &str, address: impl Display) -> String {
    SettingsError::of(key, format!("{address} cannot be bound")).to_string()
}
