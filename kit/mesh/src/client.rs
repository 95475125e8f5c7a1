//! The client's end: channels to the other services, by name.

mod addresses;
mod attempts;
mod balance;
mod behalf;
mod breaker;
mod budget;
mod bulkhead;
mod call;
mod channel;
mod circuits;
mod connect;
mod connection;
mod endpoint;
mod fault;
mod load;
mod name;
mod peer;
mod pool;
mod retry;
mod status;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use self::behalf::Behalf;
pub use self::call::AskedDeadline;
pub use self::channel::Channel;
use self::connect::{Dial, Secure};
use self::peer::Peer;
pub use self::status::{Bulkhead, Circuit, EndpointStatus, PeerStatus, Standing};
use crate::faults::Faults;
use crate::{Error, Identity, Policy, Result, tls};

/// The services this process may reach, and one channel to each. Cheap to clone.
#[derive(Clone)]
pub struct Channels(Arc<Inner>);

struct Inner {
    identity: Identity,
    policy: Policy,
    /// Service → `host:port`, or several with commas between.
    peers: BTreeMap<String, String>,
    faults: Faults,
    behalf: Behalf,
    open: Mutex<BTreeMap<String, Channel>>,
}

impl Channels {
    /// Knows `peers` (service → `host:port`, or several of them with commas between; a host's name is looked up again and again,
    /// and each of its addresses is an endpoint); connects to none of them yet.
    #[must_use]
    pub fn new(identity: Identity, policy: Policy, peers: BTreeMap<String, String>) -> Self {
        let (faults, open) = (Faults::default(), Mutex::default());
        let behalf = Behalf::new(identity.clone());
        Self(Arc::new(Inner { identity, policy, peers, faults, behalf, open }))
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

    /// The faults that are put into its calls.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// How those stand at the moment that [`Channels::to`] was asked for, by name.
    #[must_use]
    pub fn status(&self) -> Vec<PeerStatus> {
        let open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.values().map(Channel::status).collect()
    }

    fn open(&self, service: &str) -> Result<Channel> {
        let address = self.0.peers.get(service).ok_or_else(|| Error::UnknownPeer(service.to_owned()))?;
        let tls = Arc::new(tls::client(&self.0.identity, service)?);
        let dial = |host: &str| -> Result<Arc<dyn Dial>> {
            Ok(Arc::new(Secure::new(service, host, tls.clone(), self.0.identity.clone())?))
        };
        let peer = Arc::new(Peer::new(service, address, dial)?.with_faults(self.0.faults.clone()));
        let malformed = |_| Error::Name(format!("`{address}` of {service} is not of the form host:port"));
        let authority = address.split(',').next().unwrap_or_default().trim().parse().map_err(malformed)?;
        Ok(Channel::new(peer, authority, self.0.policy.clone(), self.0.behalf.clone()))
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channels").field("peers", &self.0.peers).finish_non_exhaustive()
    }
}
