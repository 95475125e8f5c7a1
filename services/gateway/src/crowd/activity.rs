//! What goes on over one connection, and in each of its requests.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Crowd;
use super::room::Of;
use crate::metrics::refused;

/// So many requests may be taken back before they are answered, and half of all.
const GIVEN_UP: usize = 100;

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// One connection's.
pub(crate) struct Activity {
    pub(crate) crowd: Arc<Crowd>,
    /// From where it comes, and whether that is somebody who asks for others.
    pub(crate) from: IpAddr,
    pub(crate) is_proxy: bool,
    under_way: AtomicUsize,
    /// Those of them that wait for whoever asks: to say the rest, or to read.
    owed: AtomicUsize,
    /// Requests so far, and those of them that were taken back before they were answered.
    asked: AtomicUsize,
    given_up: AtomicUsize,
    /// When last something came of it, in milliseconds: it began, or something was asked, said to the end, or answered to the end.
    since: AtomicU64,
    /// What has been handed over of answers and has not left yet.
    pub(crate) unsent: AtomicUsize,
    requests: Mutex<Vec<Arc<Request>>>,
    /// Cancelled where the connection has to make room.
    pub(crate) ended: CancellationToken,
}

/// How a connection stands that does nothing for anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idle {
    /// Nothing was ever asked.
    New(Duration),
    /// Nothing is under way.
    Rests(Duration),
    /// It waits for whoever asks.
    Owed(Duration),
}

impl Idle {
    /// For how long.
    pub(crate) const fn time(self) -> Duration {
        match self {
            Self::New(time) | Self::Rests(time) | Self::Owed(time) => time,
        }
    }
}

impl Activity {
    pub(crate) fn begin(crowd: Arc<Crowd>, from: IpAddr, is_proxy: bool) -> Arc<Self> {
        let [under_way, owed, asked, given_up, unsent] = [const { AtomicUsize::new(0) }; 5];
        let (since, requests, ended) = (AtomicU64::new(now()), Mutex::default(), CancellationToken::new());
        Arc::new(Self { crowd, from, is_proxy, under_way, owed, asked, given_up, since, unsent, requests, ended })
    }

    /// A request is under way until what is returned is dropped; its answer may take so long to be read.
    pub(crate) fn ask(self: &Arc<Self>, read: Duration) -> Asked {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.comes_on();
        let request = Arc::new(Request::new());
        self.requests().push(request.clone());
        Asked { activity: self.clone(), request, read }
    }

    /// For how long it does nothing, unless somebody here does something for it.
    pub(crate) fn idle(&self) -> Option<Idle> {
        let time = self.time();
        match (self.under_way.load(Ordering::Relaxed), self.asked.load(Ordering::Relaxed)) {
            (0, 0) => Some(Idle::New(time)),
            (0, _) => Some(Idle::Rests(time)),
            _ => (self.owed.load(Ordering::Relaxed) > 0).then_some(Idle::Owed(time)),
        }
    }

    /// How long nothing has come of it.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_millis(now().saturating_sub(self.since()))
    }

    /// Since when nothing has.
    pub(crate) fn since(&self) -> u64 {
        self.since.load(Ordering::Relaxed)
    }

    fn comes_on(&self) {
        self.since.store(now(), Ordering::Relaxed);
    }

    /// So much of an answer waits to leave.
    pub(crate) fn handed(&self, bytes: usize) {
        self.unsent.fetch_add(bytes, Ordering::Relaxed);
        self.crowd.room(Of::Answers).force(bytes);
    }

    /// So much has left.
    pub(crate) fn left(&self, bytes: usize) {
        let unsent = self.unsent.load(Ordering::Relaxed);
        if unsent > 0 {
            // One task alone takes away.
            let bytes = bytes.min(unsent);
            self.unsent.fetch_sub(bytes, Ordering::Relaxed);
            self.crowd.room(Of::Answers).free(bytes);
        }
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, Vec<Arc<Request>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        self.crowd.room(Of::Answers).free(*self.unsent.get_mut());
    }
}

/// What is known of a request.
pub(crate) struct Request {
    /// What it holds of each room.
    pub(crate) held: [AtomicUsize; 2],
    /// When it began.
    began: u64,
    waits: AtomicU8,
    /// Told where it has to make room while it is read.
    pub(crate) evicted: Notify,
}

/// For what a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Waits {
    /// For a service, or it is a stream.
    Here,
    /// For the rest of it.
    Said,
    /// For its answer to be read.
    Read,
}

impl Request {
    fn new() -> Self {
        let held = [const { AtomicUsize::new(0) }; 2];
        Self { held, began: now(), waits: AtomicU8::new(Waits::Here as u8), evicted: Notify::new() }
    }

    /// For what it waits.
    pub(crate) fn waits(&self) -> Waits {
        match self.waits.load(Ordering::Relaxed) {
            said if said == Waits::Said as u8 => Waits::Said,
            read if read == Waits::Read as u8 => Waits::Read,
            _ => Waits::Here,
        }
    }

    /// How much of a room it has taken from others, in bytes and milliseconds.
    pub(crate) fn weight(&self, of: Of) -> u64 {
        let held = self.held[of as usize].load(Ordering::Relaxed) as u64;
        held.saturating_mul(now().saturating_sub(self.began) + 1)
    }
}

/// A request that is under way.
pub(crate) struct Asked {
    pub(super) activity: Arc<Activity>,
    pub(super) request: Arc<Request>,
    read: Duration,
}

impl Asked {
    /// From now on, whoever asks is waited for.
    pub(crate) fn waits(&self, waits: Waits) {
        let before = self.request.waits.swap(waits as u8, Ordering::Relaxed);
        match (before == Waits::Here as u8, waits == Waits::Here) {
            (true, false) => _ = self.activity.owed.fetch_add(1, Ordering::Relaxed),
            (false, true) => _ = self.activity.owed.fetch_sub(1, Ordering::Relaxed),
            _ => {}
        }
        self.activity.comes_on();
    }

    /// How many bytes there is room for at all.
    pub(crate) fn room(&self, of: Of) -> usize {
        self.activity.crowd.room(of).most
    }

    /// Waits until it has to make room.
    pub(crate) async fn evicted(&self) {
        self.request.evicted.notified().await;
    }

    /// So much of its answer waits to leave.
    pub(crate) fn handed(&self, bytes: usize) {
        self.activity.handed(bytes);
    }

    /// It was taken back before there was an answer. Whoever does little else has his connection ended: it costs him nothing, and those
    /// who work for it much.
    pub(crate) fn given_up(&self) {
        let given_up = self.activity.given_up.fetch_add(1, Ordering::Relaxed) + 1;
        let asked = self.activity.asked.load(Ordering::Relaxed);
        // A proxy's connection is others' as well.
        let is_ended = self.activity.is_proxy || self.activity.ended.is_cancelled();
        if given_up > GIVEN_UP && given_up * 2 > asked && !is_ended {
            refused("given_up");
            self.activity.ended.cancel();
        }
    }

    /// Whether it came by a proxy, whose connection is others' as well.
    pub(crate) fn is_by_proxy(&self) -> bool {
        self.activity.is_proxy
    }

    /// Ends the connection once its answer has taken too long to be read, from when `ready` is over.
    pub(crate) fn late<F>(&self, ready: F) -> impl Future<Output = ()> + Send + use<F>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (ended, read) = (self.activity.ended.clone(), self.read);
        async move {
            ready.await;
            tokio::time::sleep(read).await;
            refused("read_too_slowly");
            ended.cancel();
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.waits(Waits::Here);
        self.activity.requests().retain(|each| !Arc::ptr_eq(each, &self.request));
        self.activity.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

fn now() -> u64 {
    u64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(u64::MAX)
}
