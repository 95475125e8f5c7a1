//! Calls that make calls: how often each is made when what they all need is away, and when each has to end.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, Request, Status};
use tradewind_mesh::{Channel, Identity, IdentityFiles, deadline};

use crate::echo::{SAY, WATCH, ask, ask_with, listen_with};
use crate::made::{Told, serve_both};
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
    streams: Arc<Streams>,
    _stop: DropGuard,
}

/// The streams of a tree.
#[derive(Default)]
struct Streams {
    /// How many each serves.
    open: [AtomicUsize; 3],
    /// How those ended that were served by whom a place asks, in order.
    ended: Mutex<Vec<(usize, Code)>>,
}

/// A stream that a place serves, until it is dropped.
struct Open {
    streams: Arc<Streams>,
    place: usize,
}

impl Open {
    fn at(streams: &Arc<Streams>, place: usize) -> Self {
        streams.open[place].fetch_add(1, Ordering::SeqCst);
        Self { streams: streams.clone(), place }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.streams.open[self.place].fetch_sub(1, Ordering::SeqCst);
    }
}

/// What a place says to whoever listens: what is said below; the last says it once, and then nothing more.
async fn watch(below: Option<Channel>, open: Open, text: String) -> Result<Told, Status> {
    let Some(below) = below else {
        let told = stream::iter([Ok(text)]).chain(stream::pending());
        return Ok(told.inspect(move |_| _ = &open).boxed());
    };
    let told = listen_with(&below, WATCH, Request::new(text)).await?;
    let told = told.inspect(move |told| {
        if let Err(status) = told {
            open.streams.ended.lock().unwrap().push((open.place, status.code()));
        }
    });
    Ok(told.boxed())
}

impl Tree {
    async fn start() -> Self {
        let credentials = credentials();
        let (asked, deadlines) = (Arc::<[AtomicUsize; 3]>::default(), Arc::<Mutex<[Option<Instant>; 3]>>::default());
        let (is_away, stop) = (Arc::new(AtomicBool::new(false)), CancellationToken::new());
        let streams = Arc::<Streams>::default();
        let mut next: Option<Channel> = None;
        let mut front = None;
        for place in (0..3).rev() {
            let (asked, deadlines, is_away) = (asked.clone(), deadlines.clone(), is_away.clone());
            let below = next.take();
            let (listens, times, served) = (below.clone(), deadlines.clone(), streams.clone());
            let say = move |text: String| {
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
            };
            let watched = move |text| {
                times.lock().unwrap()[place] = deadline::current();
                watch(listens.clone(), Open::at(&served, place), text)
            };
            let address = serve_both(credentials.path(), None, stop.clone(), say, watched).await;
            next = Some(channel(Self::caller(&credentials), "echo", address));
            front = Some(address);
        }
        let front = front.unwrap();
        Self { credentials, front, asked, deadlines, is_away, streams, _stop: stop.drop_guard() }
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

    /// How many streams each serves.
    fn open(&self) -> [usize; 3] {
        std::array::from_fn(|place| self.streams.open[place].load(Ordering::SeqCst))
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
    // Where a machine is so busy that a call travels for longer than what a hop leaves of its time, whoever is nearer ends first.
    eventually("each leaves time to answer", async || {
        tree.deadlines.lock().unwrap().fill(None);
        let mut request = Request::new("hang".to_owned());
        request.set_timeout(Duration::from_millis(200));
        let late = ask_with(&channel, SAY, request).await.unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded);
        let [Some(front), Some(middle), Some(back)] = *tree.deadlines.lock().unwrap() else { return false };
        back < middle && middle < front
    })
    .await;
}

#[tokio::test]
async fn a_stream_over_three_hops_ends_everywhere_when_its_time_is_over() {
    let tree = Tree::start().await;
    let channel = tree.channel();
    ask(&channel, SAY, "hello").await.unwrap();
    let in_turn = [(1, Code::DeadlineExceeded), (0, Code::DeadlineExceeded)];
    // Where a machine is so busy that a call travels for longer than what a hop leaves of its time, whoever is nearer ends first.
    eventually("whoever is further away ends first", async || {
        let mut request = Request::new("hello".to_owned());
        request.set_timeout(Duration::from_millis(200));
        let Ok(mut told) = listen_with(&channel, WATCH, request).await else { return false };
        let Ok(first) = told.message().await else { return false };
        assert_eq!(first.as_deref(), Some("hello"), "it goes through all of them");
        let open = tree.open();
        let late = told.message().await.unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded, "{late:?}");
        let [front, middle, back] = tree.deadlines.lock().unwrap().map(Option::unwrap);
        eventually("nobody serves it any more", async || tree.open() == [0; 3]).await;
        let ended = std::mem::take(&mut *tree.streams.ended.lock().unwrap());
        assert!(ended.iter().all(|end| in_turn.contains(end)), "{ended:?}");
        open == [1; 3] && ended == in_turn && back < middle && middle < front
    })
    .await;
    ask(&channel, SAY, "hello").await.unwrap();
}
