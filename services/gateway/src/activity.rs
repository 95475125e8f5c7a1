//! What goes on over one connection.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// One connection's.
#[derive(Debug)]
pub(crate) struct Activity {
    under_way: AtomicUsize,
    /// Requests so far.
    asked: AtomicUsize,
    /// Since when nothing is under way, in milliseconds; it holds only where that is so.
    since: AtomicU64,
    /// Cancelled where the connection has to make room.
    pub(crate) ended: CancellationToken,
}

impl Activity {
    pub(crate) fn begin() -> Arc<Self> {
        let (under_way, asked, since) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicU64::new(now()));
        Arc::new(Self { under_way, asked, since, ended: CancellationToken::new() })
    }

    /// A request is under way until what is returned is dropped.
    pub(crate) fn ask(self: &Arc<Self>) -> Asked {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Asked(self.clone())
    }

    /// Whether nothing was ever asked.
    pub(crate) fn is_new(&self) -> bool {
        self.asked.load(Ordering::Relaxed) == 0
    }

    /// How long nothing has been under way; nothing where something is.
    pub(crate) fn rests(&self) -> Option<Duration> {
        let rests = self.under_way.load(Ordering::Relaxed) == 0;
        rests.then(|| Duration::from_millis(now().saturating_sub(self.since.load(Ordering::Relaxed))))
    }
}

/// A request that is under way.
pub(crate) struct Asked(Arc<Activity>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.since.store(now(), Ordering::Relaxed);
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

fn now() -> u64 {
    u64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(u64::MAX)
}
