//! Calls that make calls: how often each is made when what they all need is away, and when each has to end.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, Request, Status};
use tradewind_mesh::{Channel, Identity, IdentityFiles, deadline};

use crate::echo::{SAY, ask, ask_with};
use crate::made::serve;
use crate::world::{channel, credentials, eventually};

const CALLERS: usize = 8;
const CALLS: usize = 150;

/// Three workloads in a row, of which each asks the next; the last is well, or not.
struct Tree {
    credentials: TempDir,
    front: SocketAddr,
    /// How often each was asked, the last at the end.
    asked: Arc<[AtomicUsize; 3]>,
    /// When each had to be done when it was asked last.
    deadlines: Arc<Mutex<[Option<Instant>; 3]>>,
    is_away: Arc<AtomicBool>,
    _stop: DropGuard,
}

impl Tree {
    async fn start() -> Self {
        let credentials = credentials();
        let (asked, deadlines) = (Arc::<[AtomicUsize; 3]>::default(), Arc::<Mutex<[Option<Instant>; 3]>>::default());
        let (is_away, stop) = (Arc::new(AtomicBool::new(false)), CancellationToken::new());
        let mut next: Option<Channel> = None;
        let mut front = None;
        for place in (0..3).rev() {
            let (asked, deadlines, is_away) = (asked.clone(), deadlines.clone(), is_away.clone());
            let below = next.take();
            let address = serve(credentials.path(), None, stop.clone(), move |text| {
                asked[place].fetch_add(1, Ordering::SeqCst);
                deadlines.lock().unwrap()[place] = deadline::current();
                let (below, is_away) = (below.clone(), is_away.load(Ordering::SeqCst));
                async move {
                    match below {
                        Some(below) => ask(&below, SAY, &text).await,
                        None if text == "hang" => std::future::pending().await,
                        None if is_away => Err(Status::unavailable("away")),
                        None => Ok(text),
                    }
                }
            })
            .await;
            next = Some(channel(Self::caller(&credentials), "echo", address));
            front = Some(address);
        }
        let front = front.unwrap();
        Self { credentials, front, asked, deadlines, is_away, _stop: stop.drop_guard() }
    }

    fn caller(credentials: &TempDir) -> Identity {
        Identity::load(IdentityFiles::in_dir(credentials.path(), "gateway")).unwrap()
    }

    fn channel(&self) -> Channel {
        channel(Self::caller(&self.credentials), "echo", self.front)
    }

    /// Has many callers call, and tells how many of their calls failed.
    async fn calls(&self, channel: &Channel) -> usize {
        let calling = (0..CALLERS).map(|_| async {
            let mut failed = 0;
            for _ in 0..CALLS {
                failed += usize::from(ask(channel, SAY, "hello").await.is_err());
            }
            failed
        });
        futures::future::join_all(calling).await.into_iter().sum()
    }

    fn asked(&self) -> [usize; 3] {
        std::array::from_fn(|place| self.asked[place].swap(0, Ordering::SeqCst))
    }
}

#[tokio::test]
async fn what_is_away_is_not_asked_more_often_because_everybody_repeats() {
    let tree = Tree::start().await;
    let channel = tree.channel();
    assert_eq!((tree.calls(&channel).await, tree.asked()), (0, [CALLERS * CALLS; 3]));
    tree.is_away.store(true, Ordering::SeqCst);
    assert_eq!(tree.calls(&channel).await, CALLERS * CALLS);
    for (place, asked) in tree.asked().into_iter().enumerate() {
        assert!(asked <= CALLERS * CALLS * 11 / 10, "place {place} was asked {asked} times for {}", CALLERS * CALLS);
    }
    tree.is_away.store(false, Ordering::SeqCst);
    eventually("calls succeed again", async || ask(&channel, SAY, "hello").await.is_ok()).await;
    assert_eq!(tree.calls(&channel).await, 0, "and all of them do");
}

#[tokio::test]
async fn what_is_late_below_is_late_above_in_time() {
    let tree = Tree::start().await;
    let channel = tree.channel();
    ask(&channel, SAY, "hello").await.unwrap();
    let mut request = Request::new("hang".to_owned());
    request.set_timeout(Duration::from_millis(200));
    let begun = Instant::now();
    let late = ask_with(&channel, SAY, request).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    let [front, middle, back] = tree.deadlines.lock().unwrap().map(|deadline| deadline.unwrap() - begun);
    assert!(back < middle && middle < front, "each leaves time to answer: {back:?} {middle:?} {front:?}");
    // The clock of the header is in whole microseconds, and is read after it has travelled.
    assert!(front < Duration::from_millis(400), "{front:?}");
}
