//! How much of requests, and of answers, is in memory at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Of what there is a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Requests = 0,
    Answers = 1,
}

/// One may wait for so many bytes of a room.
const PER_WAITER: usize = 32 << 10;

/// The bytes that are held, and the most that may be.
pub(crate) struct Room {
    held: AtomicUsize,
    pub(crate) most: usize,
    pub(super) freed: Notify,
    waiting: AtomicUsize,
}

/// Somebody who waits for room, until it is dropped.
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Room {
    /// For so many bytes.
    pub(crate) fn of(most: usize) -> Self {
        Self { held: AtomicUsize::new(0), most, freed: Notify::new(), waiting: AtomicUsize::new(0) }
    }

    /// Holds what is there already.
    pub(crate) fn force(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Holds so much more, if there is room for it.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let more = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.most);
        self.held.try_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Whether so many wait for room that nobody else should: whoever waits takes memory as well.
    pub(super) fn is_crowded(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= self.most.div_ceil(PER_WAITER)
    }

    /// Is told where something is freed, for as long as what is returned lives.
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(&self.waiting)
    }

    /// Holds so much less.
    pub(crate) fn free(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.freed.notify_waiters();
        }
    }
}
