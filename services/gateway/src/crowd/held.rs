//! What one request holds of a room. Where there is no room for more, whoever has kept most for longest makes some: so whoever sends
//! or reads slowly takes no more than there is, and nothing from others.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tonic::Code;

use super::activity::{Activity, Asked, Request};
use super::room::{Of, Room};
use crate::refused::{Refused, refusal_of};

/// How long room is waited for, and how often others are asked to make some.
const WAIT: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(20);

/// What a request holds of a room, until it is dropped.
pub(crate) struct Held {
    activity: Arc<Activity>,
    request: Arc<Request>,
    of: Of,
    bytes: usize,
}

impl Held {
    /// Nothing yet.
    pub(crate) fn none(asked: &Asked, of: Of) -> Self {
        Self { activity: asked.activity.clone(), request: asked.request.clone(), of, bytes: 0 }
    }

    fn room(&self) -> &Room {
        self.activity.crowd.room(self.of)
    }

    /// Holds so many from now on, which are not fewer than before; where there is no room, waits a moment for some.
    ///
    /// # Errors
    /// Where there is none all the same, or too many wait for some.
    pub(crate) async fn grow(&mut self, bytes: usize) -> Result<(), Refused> {
        let more = bytes.saturating_sub(self.bytes);
        if !self.room().take(more) {
            if self.room().is_crowded() {
                return Err(no_room());
            }
            tokio::time::timeout(WAIT, self.wait(more)).await.map_err(|_| no_room())?;
        }
        self.bytes += more;
        self.request.held[self.of as usize].fetch_add(more, Ordering::Relaxed);
        Ok(())
    }

    /// Holds so many from now on, whether there is room for them or not.
    pub(crate) fn become_of(&mut self, bytes: usize) {
        let (more, less) = (bytes.saturating_sub(self.bytes), self.bytes.saturating_sub(bytes));
        self.bytes = bytes;
        self.request.held[self.of as usize].fetch_add(more, Ordering::Relaxed);
        self.request.held[self.of as usize].fetch_sub(less, Ordering::Relaxed);
        self.room().force(more);
        self.room().free(less);
    }

    async fn wait(&self, more: usize) {
        let _waiting = self.room().wait();
        loop {
            let freed = self.room().freed.notified();
            if self.room().take(more) {
                return;
            }
            self.activity.crowd.relieve(self.of, more);
            // Others may have been asked already.
            let _ = tokio::time::timeout(LOOK, freed).await;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.request.held[self.of as usize].fetch_sub(self.bytes, Ordering::Relaxed);
        self.room().free(self.bytes);
    }
}

/// There is no room for what is asked.
pub(crate) fn no_room() -> Refused {
    let text = "too much is asked at the moment; call again later";
    refusal_of(Code::Unavailable, "OVERLOADED", text).into()
}
