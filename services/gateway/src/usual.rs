//! What an answer is expected to take before there is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::crowd::no_room;
use crate::refused::Refused;

/// How long it is waited for that less is expected.
const WAIT: Duration = Duration::from_secs(2);

/// How many bytes answers of a method take, the most of late; and what is expected of it at the moment.
#[derive(Default)]
pub(crate) struct Usual {
    bytes: AtomicUsize,
    expected: AtomicUsize,
    less: Notify,
}

/// What is expected of one call, until it is dropped.
pub(crate) struct Expected {
    usual: Arc<Usual>,
    bytes: usize,
}

impl Usual {
    /// One took so many.
    pub(crate) fn saw(&self, bytes: usize) {
        let usual = self.bytes.load(Ordering::Relaxed);
        // What is larger counts at once, and is forgotten slowly.
        self.bytes.store(bytes.max(usual - usual / 16), Ordering::Relaxed);
    }

    /// One more is expected, where that makes no more than `most` bytes; a moment is waited for that.
    ///
    /// # Errors
    /// Where it made more all the while.
    pub(crate) async fn expect(self: Arc<Self>, most: usize) -> Result<Expected, Refused> {
        let bytes = self.bytes.load(Ordering::Relaxed).min(most);
        let more = |expected: usize| expected.checked_add(bytes).filter(|expected| *expected <= most);
        let taken = async {
            loop {
                let less = self.less.notified();
                if self.expected.try_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok() {
                    return;
                }
                less.await;
            }
        };
        tokio::time::timeout(WAIT, taken).await.map_err(|_| no_room())?;
        // There may be room for the next as well.
        self.less.notify_one();
        Ok(Expected { usual: self, bytes })
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.usual.expected.fetch_sub(self.bytes, Ordering::Relaxed);
        self.usual.less.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_larger_counts_at_once_and_is_forgotten_slowly() {
        let usual = Usual::default();
        let bytes = || usual.bytes.load(Ordering::Relaxed);
        usual.saw(1_600);
        usual.saw(10);
        assert_eq!(bytes(), 1_500);
        (0..200).for_each(|_| usual.saw(10));
        assert!(bytes() < 100);
        usual.saw(2_000);
        assert_eq!(bytes(), 2_000);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_expected_than_there_is_room_for() {
        let usual = Arc::new(Usual::default());
        usual.saw(400);
        let (first, second) = (usual.clone().expect(1_000).await, usual.clone().expect(1_000).await);
        assert!(first.is_ok() && second.is_ok());
        assert!(usual.clone().expect(1_000).await.is_err(), "there is no room for a third");
        let (third, ()) = tokio::join!(usual.clone().expect(1_000), async { drop(first) });
        assert!(third.is_ok());
        drop((second, third));
        usual.saw(5_000);
        let large = usual.clone().expect(1_000).await;
        assert!(large.is_ok(), "what is larger than all the room has all of it");
    }
}
