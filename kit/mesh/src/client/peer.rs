//! The endpoints of one peer: found by name again and again, or given as a list.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::addresses::{Addresses, Found, Wanted};
use super::connect::{Dial, keep};
use super::endpoint::{Endpoint, Standing};
use crate::faults::Faults;
use crate::{Error, Result};

/// How often names are looked up, and how soon again when an endpoint fails.
const LOOKUP: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(500);

/// Where a peer may be reached, and the endpoints that this means at the moment.
pub(super) struct Peer {
    pub(super) name: Arc<str>,
    places: Vec<Place>,
    addresses: Mutex<Addresses>,
    endpoints: ArcSwap<Vec<Arc<Endpoint>>>,
    faults: Faults,
    /// Told whenever an endpoint takes calls, fails, comes or goes.
    pub(super) changed: Arc<Notify>,
    begun: AtomicBool,
    numbers: AtomicUsize,
    /// Why the names could not be looked up the first time.
    unknown: ArcSwap<Option<(Instant, String)>>,
    stop: CancellationToken,
    _over: DropGuard,
}

/// One `host:port`.
struct Place {
    host: String,
    port: u16,
    dial: Arc<dyn Dial>,
}

impl Peer {
    /// Knows `addresses`, which are `host:port`, or several of them with commas between; asks for none of them yet.
    /// What opens connections to a host is told by `dial`.
    ///
    /// # Errors
    /// The address that is none.
    pub(super) fn new(name: &str, addresses: &str, dial: impl Fn(&str) -> Result<Arc<dyn Dial>>) -> Result<Self> {
        let place = |address: &str| {
            let (host, port) = split(address)
                .ok_or_else(|| Error::Name(format!("`{address}` of {name} is not of the form host:port")))?;
            Ok(Place { dial: dial(&host)?, host, port })
        };
        let places = addresses.split(',').map(|address| place(address.trim())).collect::<Result<_>>()?;
        let stop = CancellationToken::new();
        Ok(Self {
            name: name.into(),
            places,
            addresses: Mutex::default(),
            endpoints: ArcSwap::default(),
            faults: Faults::default(),
            changed: Arc::default(),
            begun: AtomicBool::new(false),
            numbers: AtomicUsize::new(0),
            unknown: ArcSwap::default(),
            _over: stop.clone().drop_guard(),
            stop,
        })
    }

    /// Puts these faults into calls to it.
    pub(super) fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// The endpoints as of now. The first who asks has them looked for.
    pub(super) fn endpoints(self: &Arc<Self>) -> arc_swap::Guard<Arc<Vec<Arc<Endpoint>>>> {
        if !self.begun.swap(true, Ordering::Relaxed) {
            let (peer, stop) = (Arc::downgrade(self), self.stop.clone());
            tokio::spawn(stop.run_until_cancelled_owned(async move {
                while let Some(peer) = peer.upgrade() {
                    peer.look().await;
                    if peer.are_addresses() {
                        return;
                    }
                    let (changed, unknown) = (peer.changed.clone(), peer.unknown().is_some());
                    drop(peer);
                    tokio::time::sleep(AGAIN).await;
                    if unknown {
                        continue;
                    }
                    // Whoever fails may have moved.
                    let _ = tokio::time::timeout(LOOKUP - AGAIN, changed.notified()).await;
                }
            }));
        }
        self.endpoints.load()
    }

    /// The endpoints as of now, for whoever only looks.
    pub(super) fn known(&self) -> Arc<Vec<Arc<Endpoint>>> {
        self.endpoints.load_full()
    }

    /// Whether another endpoint could be asked beside one that is.
    pub(super) fn has_others(&self) -> bool {
        let endpoints = self.endpoints.load();
        endpoints.len() > 1 && endpoints.iter().filter(|endpoint| endpoint.is_ready()).take(2).count() > 1
    }

    /// Why there are no endpoints at all, and since when.
    pub(super) fn unknown(&self) -> Option<(Instant, String)> {
        self.unknown.load().as_ref().clone()
    }

    fn are_addresses(&self) -> bool {
        self.places.iter().all(|place| place.host.parse::<IpAddr>().is_ok())
    }

    /// Looks every name up, and makes the endpoints be what that means. What cannot be looked up stays as it is.
    async fn look(self: &Arc<Self>) {
        let before: BTreeMap<_, _> =
            self.endpoints.load().iter().map(|endpoint| (endpoint.address, endpoint.clone())).collect();
        let (mut found, mut failed) = (BTreeMap::new(), None);
        for (name, place) in self.places.iter().enumerate() {
            match place.dial.lookup(&place.host, place.port).await {
                Ok(addresses) => addresses.into_iter().for_each(|address| _ = found.entry(address).or_insert(name)),
                Err(error) => failed = Some(format!("{} cannot be looked up: {error}", place.host)),
            }
        }
        if let Some(why) = &failed {
            tracing::debug!(peer = &*self.name, why, "keeps the endpoints it has");
        }
        let found: Vec<_> = found.into_iter().map(|(address, name)| Found { address, name }).collect();
        let standing = |address| before.get(&address).map(|endpoint| endpoint.standing());
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = addresses.look(Instant::now(), &found, failed.is_none(), standing);
        drop(addresses);
        let now: Vec<_> = wanted
            .iter()
            .map(|wanted| before.get(&wanted.found.address).cloned().unwrap_or_else(|| self.starts(*wanted)))
            .collect();
        let kept: BTreeSet<_> = now.iter().map(|endpoint| endpoint.address).collect();
        let gone = before.values().filter(|endpoint| !kept.contains(&endpoint.address));
        gone.for_each(|endpoint| endpoint.gone.cancel());
        let since = self.unknown().map_or_else(Instant::now, |(since, _)| since);
        let unknown = if now.is_empty() { failed.or_else(|| Some("has no address".to_owned())) } else { None };
        self.unknown.store(Arc::new(unknown.map(|why| (since, why))));
        self.endpoints.store(Arc::new(now));
        self.changed.notify_waiters();
    }

    fn starts(&self, Wanted { found, again }: Wanted) -> Arc<Endpoint> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let faults = self.faults.clone();
        let endpoint = Endpoint::new(self.name.clone(), number, found.address, faults, self.stop.child_token());
        let (endpoint, dial) = (Arc::new(endpoint), self.places[found.name].dial.clone());
        tokio::spawn(keep(endpoint.clone(), dial, self.changed.clone(), again));
        endpoint
    }

    /// Whether somebody may still be reached at whom there is no connection yet; otherwise since when not, and why.
    pub(super) fn hope(self: &Arc<Self>) -> Result<(), (Instant, String)> {
        let endpoints = self.endpoints();
        let mut worst: Option<(Instant, String)> = self.unknown();
        for endpoint in endpoints.iter() {
            match endpoint.standing() {
                Standing::Ready | Standing::Connecting => return Ok(()),
                Standing::Failing(since, why) => {
                    let why = format!("{}: {why}", endpoint.address);
                    // The one that was there last.
                    if worst.as_ref().is_none_or(|(worst, _)| *worst < since) {
                        worst = Some((since, why));
                    }
                }
            }
        }
        worst.map_or(Ok(()), Err)
    }
}

/// `host` and port of `host:port`, `[::1]:port` and `address:port`.
fn split(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(host) => host.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    Some((host.to_owned(), port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for (text, host, port) in
            [("catalog:7101", "catalog", 7101), ("[::1]:1", "::1", 1), ("127.0.0.1:80", "127.0.0.1", 80)]
        {
            assert_eq!(split(text), Some((host.to_owned(), port)), "{text}");
        }
        for text in ["catalog", ":7101", "catalog:", "catalog:x", "::1:80", "[::1:80", "catalog:70000", ""] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
