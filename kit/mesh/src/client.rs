//! The client's end: channels to the other services, by name.

mod channel;
mod connector;
mod retry;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tonic::transport::Endpoint;

pub use self::channel::Channel;
use self::connector::Connector;
use crate::{Error, Identity, Policy, Result, tls};

const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// The services this process may reach, and one channel to each. Cheap to clone.
#[derive(Clone)]
pub struct Channels(Arc<Inner>);

struct Inner {
    identity: Identity,
    policy: Policy,
    /// Service → `host:port`.
    peers: BTreeMap<String, String>,
    open: Mutex<BTreeMap<String, Channel>>,
}

impl Channels {
    /// Knows `peers` (service → `host:port`); connects to none of them yet.
    #[must_use]
    pub fn new(identity: Identity, policy: Policy, peers: BTreeMap<String, String>) -> Self {
        Self(Arc::new(Inner { identity, policy, peers, open: Mutex::default() }))
    }

    /// The channel to `service`, for any client generated from the contract. It connects when it is
    /// first used and again whenever the connection is lost, and talks to nobody who cannot prove to be `service`.
    /// Must be called within a tokio runtime.
    pub fn to(&self, service: &str) -> Result<Channel> {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = open.get(service) {
            return Ok(channel.clone());
        }
        let channel = self.open(service)?;
        open.insert(service.to_owned(), channel.clone());
        Ok(channel)
    }

    /// The services that [`Channels::to`] knows.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.0.peers.keys().map(String::as_str)
    }

    fn open(&self, service: &str) -> Result<Channel> {
        let address = self.0.peers.get(service).ok_or_else(|| Error::UnknownPeer(service.to_owned()))?;
        let malformed = |_| Error::Name(format!("address `{address}` of {service} is not of the form host:port"));
        let endpoint = Endpoint::from_shared(format!("https://{address}"))
            .map_err(malformed)?
            .http2_keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true);
        let connector = Connector::new(service, address, tls::client(&self.0.identity, service)?)?;
        let transport = tonic::transport::Channel::new(connector, endpoint);
        Ok(Channel::new(service, transport, self.0.policy.clone()))
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channels").field("peers", &self.0.peers).finish_non_exhaustive()
    }
}
