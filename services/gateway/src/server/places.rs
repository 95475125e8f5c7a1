//! How many connections there are at once, of all and of one address. Where there is no place for one more, the one makes room of which
//! nothing has come for longest: so connections that say nothing, drip or do not read keep nobody out.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tradewind_edge::network;

use crate::crowd::{Activity, Crowd, Idle, Members};
use crate::metrics;
use crate::watched;

/// So many are looked for at a time who are to make room, and at most this part of all.
const AT_A_TIME: usize = 64;
const PART: usize = 16;
/// For how long a connection that has asked nothing yet makes room for nobody: what it asks may be on its way, or here and not read yet.
/// However many come, those that are accepted are heard; the others wait to be.
const HEARD: Duration = Duration::from_millis(250);
/// How long a connection may have something done for it, or a stream, before it makes room where nobody else does.
const STREAM: Duration = Duration::from_secs(10);
/// How often it is looked again.
const LOOK: Duration = Duration::from_millis(20);

/// The places there are.
pub(super) struct Places {
    crowd: Arc<Crowd>,
    most: usize,
    /// Of one address.
    of_one: usize,
    /// Who is next to make room, and since when nothing had come of it.
    next: Mutex<VecDeque<(Arc<Activity>, u64)>>,
    freed: Notify,
}

/// One of them, until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    pub(super) activity: Arc<Activity>,
    _counted: watched::Connection,
}

impl Places {
    pub(super) fn new(crowd: Arc<Crowd>, most: usize, of_one: usize) -> Arc<Self> {
        watched::most_connections(most);
        Arc::new(Self { crowd, most, of_one, next: Mutex::default(), freed: Notify::new() })
    }

    /// A place for a connection from `peer`, made free by whoever does nothing, or waited for where nobody does. None where there are
    /// too many of its address, all at work; a proxy asks for others, and has as many as it wants, as has
    /// this machine itself.
    pub(super) async fn take(self: &Arc<Self>, peer: IpAddr, is_proxy: bool) -> Option<Place> {
        let from = network(peer);
        if !is_proxy && !peer.to_canonical().is_loopback() && !self.has_place_of(from) {
            metrics::refused("crowded_address");
            return None;
        }
        loop {
            let freed = self.freed.notified();
            if let Some(place) = self.find(from, is_proxy) {
                return Some(place);
            }
            let _ = tokio::time::timeout(LOOK, freed).await;
        }
    }

    /// Whether there may be one more from an address. Its own make room.
    fn has_place_of(&self, from: IpAddr) -> bool {
        let members = self.crowd.members();
        if members.from(from) < self.of_one {
            return true;
        }
        let own = members.by_number.values().filter(|each| each.from == from && !each.ended.is_cancelled());
        let own = own.filter(|each| !is_unheard(each));
        let own = own.filter_map(|each| each.idle().map(|idle| (idle.time(), each)));
        let Some((_, longest)) = own.max_by_key(|(idle, _)| *idle) else { return false };
        metrics::refused("crowded_address");
        longest.ended.cancel();
        true
    }

    fn find(self: &Arc<Self>, from: IpAddr, is_proxy: bool) -> Option<Place> {
        let mut members = self.crowd.members();
        if members.by_number.len() >= self.most {
            if let Some(next) = self.next(&members) {
                metrics::refused("crowded");
                next.ended.cancel();
            }
            return None;
        }
        let activity = Activity::begin(self.crowd.clone(), from, is_proxy);
        let number = members.add(activity.clone());
        drop(members);
        Some(Place { places: self.clone(), number, activity, _counted: watched::Connection::begin() })
    }

    /// Who is to make room.
    fn next(&self, members: &Members) -> Option<Arc<Activity>> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let still = |(each, since): &(Arc<Activity>, u64)| !each.ended.is_cancelled() && each.since() == *since;
        while let Some(first) = next.pop_front() {
            if still(&first) {
                return Some(first.0);
            }
        }
        let there = || members.by_number.values().filter(|each| !each.ended.is_cancelled());
        let idle = there().filter(|each| each.idle().is_some() && !is_unheard(each));
        let mut idle: Vec<_> = idle.map(|each| (each.clone(), each.since())).collect();
        // Where many are new, some of them will soon make room; a few may not keep all others from it.
        let many = self.most / PART;
        if idle.is_empty() && there().filter(|each| is_unheard(each)).take(many + 1).count() <= many {
            idle = there().filter(|each| each.time() >= STREAM).map(|each| (each.clone(), each.since())).collect();
        }
        idle.sort_unstable_by_key(|(_, since)| *since);
        idle.truncate(AT_A_TIME.min(self.most.div_ceil(PART)));
        *next = idle.into();
        next.pop_front().map(|(first, _)| first)
    }
}

/// Whether it has just come, and may have asked something that was not read yet.
fn is_unheard(activity: &Activity) -> bool {
    matches!(activity.idle(), Some(Idle::New(time)) if time < HEARD)
}

impl Drop for Place {
    fn drop(&mut self) {
        self.activity.left(usize::MAX);
        self.places.crowd.members().remove(self.number);
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::crowd::Waits;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn places(most: usize, of_one: usize) -> Arc<Places> {
        Places::new(Crowd::new(1_000), most, of_one)
    }

    fn another(places: &Arc<Places>) -> tokio::task::JoinHandle<Option<Place>> {
        let places = places.clone();
        tokio::spawn(async move { places.take(HERE, false).await })
    }

    #[tokio::test]
    async fn the_one_that_does_nothing_makes_room() {
        let places = places(2, 9);
        let (first, second) = (places.take(HERE, false).await.unwrap(), places.take(HERE, false).await.unwrap());
        let asked = first.activity.ask(Duration::MAX);
        let taking = another(&places);
        second.activity.ended.cancelled().await;
        assert!(!first.activity.ended.is_cancelled(), "something is done for it");
        drop(second);
        let third = taking.await.unwrap().unwrap();
        let works = third.activity.ask(Duration::MAX);
        asked.waits(Waits::Said);
        let taking = another(&places);
        first.activity.ended.cancelled().await;
        assert!(!third.activity.ended.is_cancelled(), "it keeps nobody waiting");
        drop((asked, first));
        assert!(taking.await.unwrap().is_some());
        drop((works, third));
    }

    #[tokio::test]
    async fn one_that_has_just_come_is_heard_first() {
        let places = places(1, 9);
        let first = places.take(HERE, false).await.unwrap();
        let taking = another(&places);
        first.activity.ended.cancelled().await;
        assert!(first.activity.time() >= HEARD, "it had {:?}", first.activity.time());
        drop(first);
        assert!(taking.await.unwrap().is_some());
    }

    #[tokio::test]
    async fn one_address_has_so_many_and_makes_room_for_its_own() {
        let places = places(9, 2);
        let (first, second) = (places.take(HERE, false).await.unwrap(), places.take(HERE, false).await.unwrap());
        assert!(places.take(HERE, false).await.is_none(), "both may have asked already");
        let asked = [&first, &second].map(|place| place.activity.ask(Duration::MAX));
        assert!(places.take(HERE, false).await.is_none(), "both are at work");
        assert!(places.take(HERE, true).await.is_some(), "it asks for others");
        assert!(places.take([192, 0, 2, 2].into(), false).await.is_some(), "it is another");
        drop(asked);
        assert!(places.take(HERE, false).await.is_some());
        assert!(first.activity.ended.is_cancelled() || second.activity.ended.is_cancelled());
    }
}
