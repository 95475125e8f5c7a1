//! Who waits for what: a number a topic, which changes after each commit that concerns it, so that nothing told is missed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::Store;

/// What somebody may wait for that is committed: its kind, and its name where there are several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic {
    kind: &'static str,
    name: String,
}

impl Topic {
    /// Everything of a kind.
    #[must_use]
    pub const fn all(kind: &'static str) -> Self {
        Self { kind, name: String::new() }
    }

    /// What has that name, of a kind.
    #[must_use]
    pub fn of(kind: &'static str, name: &str) -> Self {
        Self { kind, name: name.to_owned() }
    }
}

/// Something reached the log.
pub(crate) static LOG: Topic = Topic::all("log");
/// Something was committed that the sequencer has to move into the log.
pub(crate) static OUTBOX: Topic = Topic::all("outbox");
/// A reader's cursor moved.
pub(crate) static CURSORS: Topic = Topic::all("cursor");

/// The topics of one store.
#[derive(Default)]
pub(super) struct Signals(Mutex<HashMap<Topic, watch::Sender<u64>>>);

impl Store {
    /// Changes after each commit of this process that concerns `topic`.
    pub fn subscribe(&self, topic: &Topic) -> watch::Receiver<u64> {
        let mut topics = self.signals().0.lock().unwrap_or_else(PoisonError::into_inner);
        topics.entry(topic.clone()).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    /// Wakes whoever waits for `topic` in this process.
    pub fn tell(&self, topic: &Topic) {
        let topics = self.signals().0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = topics.get(topic) {
            topic.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Changes after anything has reached the log through this process.
    pub fn log_grew(&self) -> watch::Receiver<u64> {
        self.subscribe(&LOG)
    }

    /// Changes after each commit of this process that the sequencer has to move into the log.
    pub fn outbox_grew(&self) -> watch::Receiver<u64> {
        self.subscribe(&OUTBOX)
    }

    /// Makes the sequencer, if it runs here, look for committed events now.
    pub fn wake_sequencer(&self) {
        self.tell(&OUTBOX);
    }
}

/// Waits for the next change; for ever where there will be none.
pub async fn changed<T>(topic: &mut watch::Receiver<T>) {
    if topic.changed().await.is_err() {
        std::future::pending().await
    }
}
