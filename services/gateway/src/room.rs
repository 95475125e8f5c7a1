//! How much of requests, and of answers, is in memory at a time. What there is no room for is refused, so that whoever sends or reads
//! slowly can take no more than that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tonic::Code;

use crate::refused::{Refused, refusal_of};

/// The bytes that are held, and the most that may be.
#[derive(Clone)]
pub(crate) struct Room {
    held: Arc<AtomicUsize>,
    most: usize,
}

/// Some of them, until it is dropped.
pub(crate) struct Held {
    room: Room,
    bytes: usize,
}

impl Room {
    /// For so many bytes.
    pub(crate) fn of(most: usize) -> Self {
        Self { held: Arc::default(), most }
    }

    /// None of it yet.
    pub(crate) fn none(&self) -> Held {
        Held { room: self.clone(), bytes: 0 }
    }
}

impl Held {
    /// Holds so many from now on, which are not fewer than before.
    ///
    /// # Errors
    /// Where there is no room for them.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Refused> {
        let added = bytes.saturating_sub(self.bytes);
        let before = self.room.held.fetch_add(added, Ordering::Relaxed);
        self.bytes += added;
        if before + added > self.room.most { Err(no_room()) } else { Ok(()) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn no_room() -> Refused {
    let text = "too much is asked at the moment; call again later";
    refusal_of(Code::Unavailable, "OVERLOADED", text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_makes_room() {
        const MOST: usize = 1_000;
        let room = Room::of(MOST);
        let (mut first, mut second) = (room.none(), room.none());
        assert!(first.grow(MOST / 2).is_ok() && first.grow(MOST).is_ok());
        assert!(second.grow(1).is_err());
        drop(first);
        assert!(second.grow(MOST).is_ok());
    }
}
