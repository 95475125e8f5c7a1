use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast::error::RecvError};
use tokio::task::JoinHandle;
use tradewind_domain::OrderId;
use tradewind_store::{Store, StreamName};

use crate::domain::Order;

/// How often watched orders are looked at although this process has not changed them; another replica may have, or a commit that
/// nobody waited for.
const NET: Duration = Duration::from_secs(1);

/// Tells those who watch an order when it has changed. One task hears of every change that this process makes; another, which is
/// there while anybody watches, looks for all of them at those that others make. So the number of watched orders costs next to
/// nothing.
#[derive(Clone)]
pub(crate) struct OrderChanges {
    store: Store,
    watchers: Arc<Watchers>,
}

#[derive(Default)]
struct Watchers(Mutex<State>);

#[derive(Default)]
struct State {
    watching: BTreeMap<Place, Watcher>,
    /// The number of the next place.
    next: u64,
    /// Who looks for all of them.
    looking: Option<JoinHandle<()>>,
}

/// Whose stream is watched, and a number that no other watcher has.
type Place = (StreamName, u64);

#[derive(Default)]
struct Watcher {
    told: Arc<Notify>,
    /// The version last seen.
    seen: u64,
}

/// One watched order.
pub(crate) struct Watched {
    place: Place,
    told: Arc<Notify>,
    watchers: Arc<Watchers>,
}

impl OrderChanges {
    /// Follows the changes of `store` until it is closed.
    pub(crate) fn follow(store: &Store) -> Self {
        let watchers = Arc::new(Watchers::default());
        let (mut changes, told) = (store.changes(), Arc::clone(&watchers));
        tokio::spawn(async move {
            loop {
                match changes.recv().await {
                    Ok(stream) => told.tell(&stream),
                    Err(RecvError::Lagged(_)) => told.tell_everybody(),
                    Err(RecvError::Closed) => return,
                }
            }
        });
        Self { store: store.clone(), watchers }
    }

    /// Watches one order: whatever is committed after this call is told.
    pub(crate) fn watch(&self, id: OrderId) -> Watched {
        let watched = self.watchers.add(id);
        let mut state = self.watchers.state();
        if state.looking.as_ref().is_none_or(JoinHandle::is_finished) {
            state.looking = Some(tokio::spawn(look(self.store.clone(), Arc::clone(&self.watchers))));
        }
        drop(state);
        watched
    }
}

/// Looks every so often at all that is watched, until nothing is.
async fn look(store: Store, watchers: Arc<Watchers>) {
    loop {
        tokio::time::sleep(NET).await;
        let Some(seen) = watchers.seen() else { return };
        match store.grown(&seen).await {
            Ok(grown) => grown.iter().for_each(|stream| watchers.tell(stream)),
            // What the database says is for each of them to hear.
            Err(_) => watchers.tell_everybody(),
        }
    }
}

impl Watchers {
    fn add(self: &Arc<Self>, id: OrderId) -> Watched {
        let mut state = self.state();
        let place = (StreamName::of::<Order>(&id.to_string()), state.next);
        state.next += 1;
        let told = Arc::clone(&state.watching.entry(place.clone()).or_default().told);
        Watched { place, told, watchers: Arc::clone(self) }
    }

    /// The version of each stream up to which all have seen it who watch it; `None` when nobody watches: who looks for them ends,
    /// and the next who watches begins anew.
    fn seen(&self) -> Option<Vec<(StreamName, u64)>> {
        let mut state = self.state();
        if state.watching.is_empty() {
            state.looking = None;
            return None;
        }
        let mut seen = BTreeMap::new();
        for ((stream, _), watcher) in &state.watching {
            let least = seen.entry(stream.clone()).or_insert(watcher.seen);
            *least = watcher.seen.min(*least);
        }
        Some(seen.into_iter().collect())
    }

    fn tell(&self, stream: &StreamName) {
        let places = (stream.clone(), 0)..=(stream.clone(), u64::MAX);
        self.state().watching.range(places).for_each(|(_, watcher)| watcher.told.notify_one());
    }

    fn tell_everybody(&self) {
        self.state().watching.values().for_each(|watcher| watcher.told.notify_one());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    /// Returns when the order may have changed since this was last asked, or since it is watched; `seen` is the version that was.
    pub(crate) async fn changed(&mut self, seen: u64) {
        if let Some(watcher) = self.watchers.state().watching.get_mut(&self.place) {
            watcher.seen = seen;
        }
        self.told.notified().await;
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watchers.state().watching.remove(&self.place);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]
    use contracts::tradewind::ordering::v1::{OrderClosed, OrderDelivered};
    use tokio::time::timeout;
    use tradewind_store::{Clock, StoreOptions};
    use tradewind_testing::{Database, Postgres, block_on, eventually};

    use super::*;
    use crate::domain::OrderEvent;

    const DEADLINE: Duration = Duration::from_secs(30);

    async fn open(database: &Database) -> Store {
        let (url, clock) = (database.url(), Clock::system());
        let options = StoreOptions { url, context: "ordering", migrations: Vec::new(), clock, partitions: None };
        Store::open(options).await.unwrap()
    }

    fn watchers() -> (Arc<Watchers>, OrderId) {
        (Arc::default(), OrderId::generate())
    }

    #[tokio::test]
    async fn everybody_who_watches_an_order_is_told_and_nobody_else() {
        let (watchers, id) = watchers();
        let (mut one, mut two, mut stranger) = (watchers.add(id), watchers.add(id), watchers.add(OrderId::generate()));
        watchers.tell(&StreamName::of::<Order>(&id.to_string()));
        timeout(DEADLINE, one.changed(1)).await.unwrap();
        timeout(DEADLINE, two.changed(1)).await.unwrap();
        assert!(timeout(Duration::ZERO, stranger.changed(1)).await.is_err());
        watchers.tell_everybody();
        timeout(DEADLINE, stranger.changed(1)).await.unwrap();
    }

    #[tokio::test]
    async fn an_order_is_looked_at_from_what_the_last_of_those_who_watch_it_has_seen() {
        let (watchers, id) = watchers();
        let (mut fast, mut slow) = (watchers.add(id), watchers.add(id));
        for (watched, seen) in [(&mut fast, 5), (&mut slow, 4)] {
            assert!(timeout(Duration::ZERO, watched.changed(seen)).await.is_err());
        }
        let stream = StreamName::of::<Order>(&id.to_string());
        assert_eq!(watchers.seen(), Some(vec![(stream.clone(), 4)]));
        drop(slow);
        assert_eq!(watchers.seen(), Some(vec![(stream, 5)]));
        drop(fast);
        assert_eq!(watchers.seen(), None);
    }

    tradewind_testing::both_stores! {
        async fn each_change_by_another_process_is_found(database: Database) {
            let (here, elsewhere) = (open(&database).await, open(&database).await);
            let (changes, id) = (OrderChanges::follow(&here), OrderId::generate());
            let (mut one, mut another) = (changes.watch(id), changes.watch(OrderId::generate()));
            let (stream, key) = (StreamName::of::<Order>(&id.to_string()), id.to_string());
            let happened = [OrderEvent::from(OrderClosed::default()), OrderDelivered::default().into()];
            for (before, event) in (0..).zip(happened) {
                let mut tx = elsewhere.begin().await.unwrap();
                tx.append(&stream, before, &key, vec![event]).await.unwrap();
                tx.commit().await.unwrap();
                timeout(DEADLINE, one.changed(before)).await.unwrap();
            }
            assert!(timeout(Duration::ZERO, another.changed(0)).await.is_err());
        }

        async fn nobody_looks_while_nobody_watches(database: Database) {
            let (changes, id) = (OrderChanges::follow(&open(&database).await), OrderId::generate());
            let looks = || changes.watchers.state().looking.is_some();
            assert!(!looks());
            for _ in 0..2 {
                let watched = [changes.watch(id), changes.watch(id)];
                assert!(looks());
                drop(watched);
                eventually(DEADLINE, "nobody looks", async || !looks()).await;
            }
        }
    }

    #[test]
    fn a_database_that_is_away_is_everybodys_to_hear_of() {
        block_on(async {
            let mut server = Postgres::start();
            let database = server.database();
            let changes = OrderChanges::follow(&open(&database).await);
            let [mut one, mut another] = [(); 2].map(|()| changes.watch(OrderId::generate()));
            server.stop();
            timeout(DEADLINE, one.changed(0)).await.unwrap();
            timeout(DEADLINE, another.changed(0)).await.unwrap();
            server.start_again();
        });
    }
}
