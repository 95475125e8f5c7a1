//! All connections there are, and what their requests hold together: where there is too much of either, those make room of which least
//! has come for longest.

mod activity;
mod held;
mod room;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use self::activity::{Activity, Asked, Idle, Waits};
pub(crate) use self::held::{Held, no_room};
pub(crate) use self::room::Of;
use self::room::Room;
use crate::metrics;

/// How often it is looked for who makes room, and which part of a room is made at a time.
const LOOK: Duration = Duration::from_millis(10);
const PART: usize = 16;

/// Everybody.
pub(crate) struct Crowd {
    members: Mutex<Members>,
    rooms: [Room; 2],
    looked: Mutex<Option<Instant>>,
}

#[derive(Default)]
pub(crate) struct Members {
    pub(crate) by_number: HashMap<u64, Arc<Activity>>,
    last: u64,
    /// How many come from one address.
    from: HashMap<IpAddr, usize>,
}

impl Members {
    pub(crate) fn from(&self, address: IpAddr) -> usize {
        self.from.get(&address).copied().unwrap_or(0)
    }

    /// One more, and its number.
    pub(crate) fn add(&mut self, activity: Arc<Activity>) -> u64 {
        self.last += 1;
        *self.from.entry(activity.from).or_default() += 1;
        self.by_number.insert(self.last, activity);
        self.last
    }

    pub(crate) fn remove(&mut self, number: u64) {
        let Some(activity) = self.by_number.remove(&number) else { return };
        if let Some(count) = self.from.get_mut(&activity.from) {
            *count -= 1;
            if *count == 0 {
                self.from.remove(&activity.from);
            }
        }
    }
}

impl Crowd {
    /// Nobody yet; requests, and answers, may hold so many bytes together.
    pub(crate) fn new(room: usize) -> Arc<Self> {
        let rooms = [Room::of(room), Room::of(room)];
        Arc::new(Self { members: Mutex::default(), rooms, looked: Mutex::default() })
    }

    pub(crate) fn room(&self, of: Of) -> &Room {
        &self.rooms[of as usize]
    }

    pub(crate) fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for so many bytes and somewhat more, at the cost of those who keep us waiting and have held most for longest: a request
    /// that is not said to the end is given up, and who does not read an answer loses the connection, unless it is a proxy's, which is
    /// others' as well.
    pub(crate) fn relieve(&self, of: Of, bytes: usize) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        let mut holders = Vec::new();
        for activity in self.members().by_number.values() {
            if activity.ended.is_cancelled() {
                continue;
            }
            let unsent = activity.unsent.load(Ordering::Relaxed);
            if of == Of::Answers && unsent > 0 && !activity.is_proxy {
                let weight = (unsent as u64).saturating_mul(millis(activity.time()) + 1);
                holders.push((weight, unsent, activity.clone(), None));
            }
            for request in activity.requests().iter() {
                let held = request.held[of as usize].load(Ordering::Relaxed);
                let may = match request.waits() {
                    Waits::Here => false,
                    Waits::Said => true,
                    Waits::Read => !activity.is_proxy,
                };
                if may && held > 0 {
                    holders.push((request.weight(of), held, activity.clone(), Some(request.clone())));
                }
            }
        }
        holders.sort_unstable_by_key(|(weight, ..)| std::cmp::Reverse(*weight));
        let (mut made, wanted) = (0, bytes.max(self.room(of).most / PART));
        for (_, held, activity, request) in holders {
            if made >= wanted {
                break;
            }
            metrics::refused("no_room");
            match request.filter(|request| request.waits() == Waits::Said) {
                Some(request) => request.evicted.notify_one(),
                None => activity.ended.cancel(),
            }
            made += held;
        }
        *looked = Some(Instant::now());
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::Ipv4Addr;

    use super::*;

    const MOST: usize = 1_000;

    fn member(crowd: &Arc<Crowd>, is_proxy: bool) -> Arc<Activity> {
        let activity = Activity::begin(crowd.clone(), Ipv4Addr::LOCALHOST.into(), is_proxy);
        crowd.members().add(activity.clone());
        activity
    }

    #[tokio::test]
    async fn what_is_dropped_makes_room() {
        let crowd = Crowd::new(MOST);
        let asked = member(&crowd, false).ask(Duration::MAX);
        let (mut first, mut second) = (Held::none(&asked, Of::Requests), Held::none(&asked, Of::Requests));
        assert!(first.grow(MOST / 2).await.is_ok() && first.grow(MOST).await.is_ok());
        assert!(Held::none(&asked, Of::Answers).grow(MOST).await.is_ok(), "it has a room of its own");
        let (grown, ()) = tokio::join!(second.grow(MOST), async { drop(first) });
        assert!(grown.is_ok());
    }

    #[tokio::test]
    async fn no_more_wait_than_may() {
        let crowd = Crowd::new(MOST);
        let asked = member(&crowd, false).ask(Duration::MAX);
        let mut all = Held::none(&asked, Of::Requests);
        all.grow(MOST).await.unwrap();
        let mut first = Held::none(&asked, Of::Requests);
        let (grown, ()) = tokio::join!(first.grow(1), async {
            assert!(Held::none(&asked, Of::Requests).grow(1).await.is_err(), "there is room for one that waits");
            drop(all);
        });
        assert!(grown.is_ok());
    }

    #[tokio::test]
    async fn whoever_keeps_us_waiting_makes_room_and_whoever_waits_for_us_does_not() {
        let crowd = Crowd::new(MOST);
        let [slow, quick, new] = [(); 3].map(|()| member(&crowd, false).ask(Duration::MAX));
        let (mut kept, mut worked) = (Held::none(&slow, Of::Requests), Held::none(&quick, Of::Requests));
        kept.grow(MOST / 4).await.unwrap();
        worked.grow(MOST / 2).await.unwrap();
        slow.waits(Waits::Said);
        let evicted = async {
            slow.evicted().await;
            drop(kept);
        };
        let mut held = Held::none(&new, Of::Requests);
        let (grown, ()) = tokio::join!(held.grow(MOST / 2), evicted);
        assert!(grown.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_read_loses_the_connection_and_a_proxy_does_not() {
        let crowd = Crowd::new(MOST);
        let (one, proxy) = (member(&crowd, false), member(&crowd, true));
        let [first, second, third] = [&one, &proxy, &proxy].map(|each| each.ask(Duration::MAX));
        let (mut unread, mut of_proxy) = (Held::none(&first, Of::Answers), Held::none(&second, Of::Answers));
        unread.grow(MOST / 4).await.unwrap();
        of_proxy.grow(MOST / 2).await.unwrap();
        first.waits(Waits::Read);
        second.waits(Waits::Read);
        assert!(Held::none(&third, Of::Answers).grow(MOST / 2).await.is_err(), "nothing was dropped in time");
        assert!(one.ended.is_cancelled() && !proxy.ended.is_cancelled());
    }

    #[test]
    fn what_was_handed_over_is_held_until_it_leaves_or_the_connection_is_gone() {
        let crowd = Crowd::new(MOST);
        let activity = Activity::begin(crowd.clone(), Ipv4Addr::LOCALHOST.into(), false);
        activity.handed(MOST);
        activity.left(MOST / 2);
        activity.left(MOST);
        assert_eq!(activity.unsent.load(Ordering::Relaxed), 0);
        activity.handed(MOST);
        drop(activity);
        crowd.room(Of::Answers).force(MOST);
        crowd.room(Of::Answers).free(MOST);
    }
}
