//! How many connections there are at once, of all and of one address, so that one address keeps nobody out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tradewind_edge::{Proxies, network};

/// The most connections at once; one more waits.
const MOST: usize = 512;
/// The most of one address, but for a proxy, which asks for others; one more is closed.
const OF_ONE: usize = 64;

pub(crate) struct Places {
    room: Arc<Semaphore>,
    taken: Mutex<HashMap<IpAddr, usize>>,
    proxies: Proxies,
}

/// Room for one connection, whoever comes.
type Room = OwnedSemaphorePermit;

/// A place, until it is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    from: IpAddr,
    _room: Room,
}

impl Places {
    pub(crate) fn new(proxies: Proxies) -> Arc<Self> {
        Arc::new(Self { room: Arc::new(Semaphore::new(MOST)), taken: Mutex::default(), proxies })
    }

    /// Waits until there is room for one more.
    pub(crate) async fn room(&self) -> Option<Room> {
        self.room.clone().acquire_owned().await.ok()
    }

    /// The place of a connection from `peer`. None where its address has as many as it may.
    pub(crate) fn take(self: &Arc<Self>, room: Room, peer: IpAddr) -> Option<Place> {
        let (from, is_proxy) = (network(peer), self.proxies.trusts(peer));
        let mut taken = self.taken();
        let taken = taken.entry(from).or_default();
        if *taken >= OF_ONE && !is_proxy {
            return None;
        }
        *taken += 1;
        Some(Place { places: Arc::clone(self), from, _room: room })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.places.taken();
        let left = all.get(&self.from).map_or(0, |taken| taken.saturating_sub(1));
        if left == 0 {
            all.remove(&self.from);
        } else {
            all.insert(self.from, left);
        }
    }
}
