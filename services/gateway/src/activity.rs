//! What goes on over one connection.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::metrics::refused;

/// So many requests may be taken back before they are answered, and half of all.
const GIVEN_UP: usize = 100;

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// One connection's.
#[derive(Debug)]
pub(crate) struct Activity {
    under_way: AtomicUsize,
    /// Requests so far.
    asked: AtomicUsize,
    /// Those of them that were taken back before they were answered.
    given_up: AtomicUsize,
    /// Since when nothing is under way, in milliseconds; it holds only where that is so.
    since: AtomicU64,
    /// Cancelled where the connection has to make room.
    pub(crate) ended: CancellationToken,
}

impl Activity {
    pub(crate) fn begin() -> Arc<Self> {
        let [under_way, asked, given_up] = [const { AtomicUsize::new(0) }; 3];
        let since = AtomicU64::new(now());
        Arc::new(Self { under_way, asked, given_up, since, ended: CancellationToken::new() })
    }

    /// A request is under way until what is returned is dropped; its answer may take so long to be read.
    pub(crate) fn ask(self: &Arc<Self>, read: Duration) -> Asked {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Asked { activity: self.clone(), read }
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
pub(crate) struct Asked {
    activity: Arc<Activity>,
    read: Duration,
}

impl Asked {
    /// It was taken back before there was an answer. Whoever does little else has his connection ended: it costs him nothing, and those
    /// who work for it much.
    pub(crate) fn given_up(&self) {
        let given_up = self.activity.given_up.fetch_add(1, Ordering::Relaxed) + 1;
        let asked = self.activity.asked.load(Ordering::Relaxed);
        if given_up > GIVEN_UP && given_up * 2 > asked && !self.activity.ended.is_cancelled() {
            refused("given_up");
            self.activity.ended.cancel();
        }
    }

    /// Ends the connection once its answer has taken too long to be read.
    pub(crate) fn late(&self) -> impl Future<Output = ()> + Send + 'static {
        let (ended, read) = (self.activity.ended.clone(), self.read);
        async move {
            tokio::time::sleep(read).await;
            refused("read_too_slowly");
            ended.cancel();
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.activity.since.store(now(), Ordering::Relaxed);
        self.activity.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

fn now() -> u64 {
    u64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(u64::MAX)
}
