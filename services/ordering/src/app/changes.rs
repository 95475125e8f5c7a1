use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{broadcast::error::RecvError, watch};
use tradewind_domain::OrderId;
use tradewind_store::{Store, StreamName};

use crate::domain::Order;

/// Tells those who watch an order when this process has changed it. One task looks at every change, so that the number
/// of watched orders costs nothing.
#[derive(Clone, Default)]
pub(crate) struct OrderChanges(Arc<Mutex<HashMap<StreamName, watch::Sender<()>>>>);

/// One watched order.
pub(crate) struct Watched {
    stream: StreamName,
    changed: watch::Receiver<()>,
    all: OrderChanges,
}

impl OrderChanges {
    /// Follows the changes of `store` until it is closed.
    pub(crate) fn follow(store: &Store) -> Self {
        let all = Self::default();
        let (mut changes, told) = (store.changes(), all.clone());
        tokio::spawn(async move {
            loop {
                match changes.recv().await {
                    Ok(stream) => told.tell(&stream),
                    Err(RecvError::Lagged(_)) => told.tell_everybody(),
                    Err(RecvError::Closed) => return,
                }
            }
        });
        all
    }

    /// Watches one order: whatever is committed after this call is told.
    pub(crate) fn watch(&self, id: OrderId) -> Watched {
        let stream = StreamName::of::<Order>(&id.to_string());
        let changed = self.watched().entry(stream.clone()).or_insert_with(|| watch::channel(()).0).subscribe();
        Watched { stream, changed, all: self.clone() }
    }

    fn tell(&self, stream: &StreamName) {
        if let Some(watchers) = self.watched().get(stream) {
            watchers.send_replace(());
        }
    }

    fn tell_everybody(&self) {
        for watchers in self.watched().values() {
            watchers.send_replace(());
        }
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<StreamName, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    /// Returns when the order has changed since this was last asked, or since it is watched.
    pub(crate) async fn changed(&mut self) {
        // The sender lives as long as it is watched.
        let _ = self.changed.changed().await;
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut watched = self.all.watched();
        // Gone before the others are counted, while nobody else counts.
        self.changed = watch::channel(()).1;
        if watched.get(&self.stream).is_some_and(watch::Sender::is_closed) {
            watched.remove(&self.stream);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn everybody_who_watches_an_order_is_told_and_nobody_else() {
        let (changes, id, other) = (OrderChanges::default(), OrderId::generate(), OrderId::generate());
        let (mut one, mut two, mut stranger) = (changes.watch(id), changes.watch(id), changes.watch(other));
        changes.tell(&StreamName::of::<Order>(&id.to_string()));
        timeout(DEADLINE, one.changed()).await.unwrap();
        timeout(DEADLINE, two.changed()).await.unwrap();
        assert!(timeout(Duration::ZERO, stranger.changed()).await.is_err());
        changes.tell_everybody();
        timeout(DEADLINE, stranger.changed()).await.unwrap();
    }

    #[test]
    fn an_order_that_nobody_watches_any_more_is_forgotten() {
        let (changes, id) = (OrderChanges::default(), OrderId::generate());
        let (one, two) = (changes.watch(id), changes.watch(id));
        drop(one);
        assert_eq!(changes.watched().len(), 1);
        drop(two);
        assert_eq!(changes.watched().len(), 0);
    }
}
