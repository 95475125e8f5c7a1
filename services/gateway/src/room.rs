//! How much of requests, and of answers, is in memory at a time. What there is no room for is refused, so that whoever sends or reads
//! slowly can take no more than that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tonic::Code;

use crate::refused::{Refused, refusal_of};

/// The most bytes of either.
const MOST: usize = 256 << 20;

/// The bytes that are held.
#[derive(Clone, Default)]
pub(crate) struct Room(Arc<AtomicUsize>);

/// Some of them, until it is dropped.
pub(crate) struct Held {
    room: Room,
    bytes: usize,
}

impl Room {
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
        let before = self.room.0.fetch_add(added, Ordering::Relaxed);
        self.bytes += added;
        if before + added > MOST { Err(no_room()) } else { Ok(()) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Ordering::Relaxed);
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
        let room = Room::default();
        let (mut first, mut second) = (room.none(), room.none());
        assert!(first.grow(MOST / 2).is_ok() && first.grow(MOST).is_ok());
        assert!(second.grow(1).is_err());
        drop(first);
        assert!(second.grow(MOST).is_ok());
    }
}
