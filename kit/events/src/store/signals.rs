//! Who waits for what: a number a topic, which changes after each commit that concerns it, so that nothing told is missed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::Store;

/// The topics of one store.
pub(crate) struct Signals {
    /// Something reached the log.
    pub(crate) log: watch::Sender<u64>,
    /// Something was committed that the sequencer has to move into the log.
    pub(crate) outbox: watch::Sender<u64>,
    /// A cursor moved.
    pub(crate) cursors: watch::Sender<u64>,
    /// Something was parked, or is no longer.
    pub(crate) quarantine: watch::Sender<u64>,
    /// A consumer was paused or resumed.
    pub(crate) pauses: watch::Sender<u64>,
    /// Intents, by kind.
    pub(crate) intents: Topics,
    /// Timers, by name.
    pub(crate) timers: Topics,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            log: watch::Sender::new(0),
            outbox: watch::Sender::new(0),
            cursors: watch::Sender::new(0),
            quarantine: watch::Sender::new(0),
            pauses: watch::Sender::new(0),
            intents: Topics::default(),
            timers: Topics::default(),
        }
    }
}

impl Store {
    /// Changes after anything has reached the log through this process.
    pub(crate) fn log_grew(&self) -> watch::Receiver<u64> {
        self.signals().log.subscribe()
    }

    /// Changes after a reader's cursor has moved in this process.
    pub(crate) fn cursors_moved(&self) -> watch::Receiver<u64> {
        self.signals().cursors.subscribe()
    }

    /// Changes after something was parked in this process, or is no longer.
    pub(crate) fn quarantine_changed(&self) -> watch::Receiver<u64> {
        self.signals().quarantine.subscribe()
    }

    /// Changes after an intent of this kind was written in this process.
    pub(crate) fn intents_changed(&self, kind: &str) -> watch::Receiver<u64> {
        self.signals().intents.subscribe(kind)
    }

    /// Changes after a timer of this name was written in this process.
    pub(crate) fn timers_changed(&self, name: &str) -> watch::Receiver<u64> {
        self.signals().timers.subscribe(name)
    }

    /// Makes the sequencer, if it runs here, look for committed events now.
    pub(crate) fn wake_sequencer(&self) {
        tell(&self.signals().outbox);
    }
}

/// One number a name.
#[derive(Default)]
pub(crate) struct Topics(Mutex<HashMap<String, watch::Sender<u64>>>);

impl Topics {
    pub(crate) fn subscribe(&self, name: &str) -> watch::Receiver<u64> {
        let mut topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        topics.entry(name.to_owned()).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    pub(crate) fn tell(&self, name: &str) {
        if let Some(topic) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            tell(topic);
        }
    }
}

/// Waits for the next change; for ever where there will be none.
pub(crate) async fn changed<T>(mut topic: watch::Receiver<T>) {
    if topic.changed().await.is_err() {
        std::future::pending().await
    }
}

/// Wakes whoever waits for `topic`.
pub(crate) fn tell(topic: &watch::Sender<u64>) {
    topic.send_modify(|count| *count = count.wrapping_add(1));
}
