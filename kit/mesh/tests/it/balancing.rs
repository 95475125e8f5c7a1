//! Three replicas, one of which is not as the others: where calls go, and what comes of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::service::Routes;
use tradewind_mesh::{Channel, Channels, Identity, IdentityFiles, Server};

use crate::echo::{Echo, SAY, ask};
use crate::world::{World, credentials, policy, telemetry};

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
    fn balanced(&self) -> Channel {
        self.channel(&self.all.each_ref().map(|replica| replica.address))
    }
}

/// So many callers each make so many calls, one after the other; tells how those ended that failed.
async fn failures(channel: Channel, halfway: impl FnOnce()) -> Vec<Status> {
    let made = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (made, channel) = (made.clone(), channel.clone());
            tokio::spawn(async move {
                let mut failed = Vec::new();
                for _ in 0..CALLS {
                    made.fetch_add(1, Ordering::Relaxed);
                    failed.extend(ask(&channel, SAY, WORK).await.err());
                }
                failed
            })
        })
        .collect();
    while made.load(Ordering::Relaxed) < CALLERS * CALLS / 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    halfway();
    join_all(callers).await.into_iter().flat_map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_replica_that_is_twenty_times_slower_is_asked_less_than_its_share() {
    let replicas = Replicas::start();
    replicas.all[0].echo.slower.store(SLOW, Ordering::SeqCst);
    let failed = failures(replicas.balanced(), || {}).await;
    assert!(failed.is_empty(), "{failed:?}");
    // Round robin would ask it for a third. How much less it is: in the simulation, whose time no neighbour takes away.
    let (asked, of) = (replicas.all[0].calls() as usize, CALLERS * CALLS);
    assert!(asked < of / 4, "{asked} of {of} calls went where it is slow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_replica_that_dies_fails_no_call_that_may_be_made_again() {
    let mut replicas = Replicas::start();
    let (channel, dies) = (replicas.balanced(), replicas.all[1].thread.take().expect("is alive"));
    let failed = failures(channel, || dies.shutdown_background()).await;
    assert!(failed.is_empty(), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_replica_that_fails_at_once_is_left_alone() {
    let replicas = Replicas::start();
    replicas.all[2].echo.broken.store(true, Ordering::SeqCst);
    let failed = failures(replicas.balanced(), || {}).await;
    assert!(failed.is_empty(), "{failed:?}");
    // How many probes there are is a matter of time, which the simulation has for itself.
    let (asked, of) = (replicas.all[2].calls() as usize, CALLERS * CALLS);
    assert!((1..of / 4).contains(&asked), "of {of} calls it was asked {asked}");
}

/// Such a name leads to two addresses where a machine has both families, and the server listens at one.
#[tokio::test]
async fn a_name_of_two_families_of_which_one_is_served_loses_no_call() {
    let world = World::start().await;
    let peers = BTreeMap::from([("echo".to_owned(), format!("localhost:{}", world.address.port()))]);
    let channel = Channels::new(world.identity("gateway"), policy(), peers).to("echo").unwrap();
    for _ in 0..200 {
        ask(&channel, SAY, "hello").await.unwrap();
    }
}
