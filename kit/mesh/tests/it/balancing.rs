//! Three replicas, one of which is not as the others: where calls go, and what comes of them. Times are held against times of the
//! same run alone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::service::Routes;
use tradewind_mesh::{Channel, Channels, Identity, IdentityFiles, Server};

use crate::echo::{Echo, SAY, ask};
use crate::world::{credentials, policy, telemetry};

/// Calls under way at a time.
const CALLERS: usize = 8;
/// Calls of each caller.
const CALLS: usize = 150;
/// What a replica does with a call, and what a slow one does.
const WORK: &str = "10 ms";
const SLOW: u32 = 20;

/// One of several servers of `echo`, on a thread of its own, which dies with it.
struct Replica {
    echo: Echo,
    address: SocketAddr,
    thread: Option<Runtime>,
}

impl Replica {
    fn start(credentials: &Path) -> Self {
        let thread = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let identity = Identity::load(IdentityFiles::in_dir(credentials, "echo")).unwrap();
        let echo = Echo::default();
        let bound = thread.spawn(Server::bind("127.0.0.1:0".parse().unwrap(), identity, policy(), "echo"));
        let server = futures::executor::block_on(bound).unwrap().unwrap();
        let address = server.local_addr();
        let routes = Routes::new(echo.clone());
        thread.spawn(server.serve(routes, CancellationToken::new(), Duration::ZERO));
        Self { echo, address, thread: Some(thread) }
    }

    fn calls(&self) -> u32 {
        self.echo.calls.load(Ordering::SeqCst)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.shutdown_background();
        }
    }
}

struct Replicas {
    credentials: tempfile::TempDir,
    all: [Replica; 3],
}

impl Replicas {
    fn start() -> Self {
        telemetry();
        let credentials = credentials();
        let all = std::array::from_fn(|_| Replica::start(credentials.path()));
        Self { credentials, all }
    }

    /// A channel to some addresses.
    fn channel(&self, addresses: &[SocketAddr]) -> Channel {
        let addresses = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let identity = Identity::load(IdentityFiles::in_dir(self.credentials.path(), "gateway")).unwrap();
        Channels::new(identity, policy(), BTreeMap::from([("echo".to_owned(), addresses)])).to("echo").unwrap()
    }

    /// One that spreads its calls over all replicas.
    fn balanced(&self) -> Vec<Channel> {
        vec![self.channel(&self.all.each_ref().map(|replica| replica.address))]
    }

    /// One to each, to be taken in turn.
    fn in_turn(&self) -> Vec<Channel> {
        self.all.iter().map(|replica| self.channel(&[replica.address])).collect()
    }
}

/// What came of many calls.
struct Load {
    /// How long each took, shortest first.
    times: Vec<Duration>,
    failed: Vec<Status>,
}

impl Load {
    /// What 95 in 100 took at most: on a machine that does something else as well, the last few say little.
    fn p95(&self) -> Duration {
        self.times[self.times.len() * 95 / 100]
    }

    fn within_a_second(&self) -> usize {
        self.times.iter().filter(|time| **time <= Duration::from_secs(1)).count()
    }
}

/// So many callers each make so many calls, one after the other, over `channels` in turn.
async fn load(channels: Vec<Channel>, calls: usize, halfway: impl FnOnce()) -> Load {
    let (turn, channels) = (Arc::new(AtomicUsize::new(0)), Arc::new(channels));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (turn, channels) = (turn.clone(), channels.clone());
            tokio::spawn(async move {
                let mut outcomes = Vec::with_capacity(calls);
                for _ in 0..calls {
                    let channel = &channels[turn.fetch_add(1, Ordering::Relaxed) % channels.len()];
                    let began = Instant::now();
                    outcomes.push(ask(channel, SAY, WORK).await.map(|_| began.elapsed()));
                }
                outcomes
            })
        })
        .collect();
    while turn.load(Ordering::Relaxed) < CALLERS * calls / 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    halfway();
    let outcomes = join_all(callers).await.into_iter().flat_map(Result::unwrap);
    let (mut times, mut failed) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(time) => times.push(time),
            Err(status) => failed.push(status),
        }
    }
    times.sort();
    Load { times, failed }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_replica_that_is_twenty_times_slower_is_hardly_asked() {
    let replicas = Replicas::start();
    let healthy = load(replicas.balanced(), CALLS, || {}).await;
    replicas.all[0].echo.slower.store(SLOW, Ordering::SeqCst);
    let before = replicas.all[0].calls();
    let balanced = load(replicas.balanced(), CALLS, || {}).await;
    let asked = replicas.all[0].calls() - before;
    let in_turn = load(replicas.in_turn(), CALLS / 5, || {}).await;

    let [healthy, with_slow, round_robin] = [&healthy, &balanced, &in_turn].map(Load::p95);
    assert!(balanced.failed.is_empty(), "{:?}", balanced.failed);
    assert_eq!(balanced.within_a_second(), CALLERS * CALLS, "{asked} calls were slow");
    assert!(
        with_slow < healthy * 3 && asked < (CALLERS * CALLS / 20) as u32,
        "{healthy:?}, and {with_slow:?} with one that is slow, which was asked {asked} times"
    );
    assert!(round_robin > with_slow * 2, "round robin knows better: {round_robin:?}, {with_slow:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_replica_that_dies_fails_no_call_that_may_be_made_again() {
    let mut replicas = Replicas::start();
    let (channels, dies) = (replicas.balanced(), replicas.all[1].thread.take().expect("is alive"));
    let load = load(channels, CALLS, || dies.shutdown_background()).await;
    assert!(load.failed.is_empty(), "{:?}", load.failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_replica_that_fails_at_once_is_left_alone() {
    let replicas = Replicas::start();
    replicas.all[2].echo.broken.store(true, Ordering::SeqCst);
    let load = load(replicas.balanced(), CALLS, || {}).await;
    assert!(load.failed.is_empty(), "{:?}", load.failed);
    let asked = replicas.all[2].calls();
    assert!((1..40).contains(&asked), "of {} calls it was asked {asked}", CALLERS * CALLS);
}
