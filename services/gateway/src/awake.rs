//! Busy polling: for a while after a request has come or gone, a thread with nothing to do looks for more instead of going to sleep. What
//! comes meanwhile is not kept waiting for the thread, and perhaps the processor, to wake up. It is paid for with processor time that
//! nobody uses otherwise, or that others would have used: so nobody does it unless told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Whether this process is awake, and how long it stays so.
pub(crate) struct Awake {
    time: Duration,
    began: Instant,
    /// When last something came or went, in nanoseconds since it began.
    last: AtomicU64,
    woken: Notify,
}

impl Awake {
    /// Stays awake for so long after each event; not at all where that is no time.
    pub(crate) fn new(time: Duration) -> Arc<Self> {
        Arc::new(Self { time, began: Instant::now(), last: AtomicU64::new(0), woken: Notify::new() })
    }

    /// Something has come or gone.
    pub(crate) fn wake(&self) {
        if !self.time.is_zero() {
            self.last.store(self.now(), Ordering::Relaxed);
            self.woken.notify_one();
        }
    }

    /// Looks for more whenever something has come or gone, until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        if self.time.is_zero() {
            return;
        }
        while stop.run_until_cancelled(self.woken.notified()).await.is_some() {
            while self.is_awake() {
                // The runtime looks at its sockets before it comes back.
                tokio::task::yield_now().await;
            }
        }
    }

    fn is_awake(&self) -> bool {
        let since = self.now().saturating_sub(self.last.load(Ordering::Relaxed));
        u128::from(since) < self.time.as_nanos()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_sleeps_again_and_ends_when_it_is_told_to() {
        for time in [Duration::ZERO, Duration::from_millis(5)] {
            let (awake, stop) = (Awake::new(time), CancellationToken::new());
            let running = tokio::spawn(awake.clone().run(stop.clone()));
            awake.wake();
            assert_eq!(awake.is_awake(), !time.is_zero());
            while awake.is_awake() {
                tokio::task::yield_now().await;
            }
            stop.cancel();
            assert!(running.await.is_ok());
        }
    }
}
