//! Replicas of this build and of a later one side by side, over the same databases and the same broker, forward and back again.

use std::fmt::{self, Display, Formatter};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use contracts::tradewind::ordering::v1::OrderPlaced;
use futures::FutureExt;
use prost::{Message, Name};
use serde_json::{Value, json};
use tradewind_store::{Clock, Store, StoreOptions};
use tradewind_testing::{Postgres, block_on, eventually};

use super::cell::text_of;
use super::orders::Assortment;
use super::replicas::{REPLICAS, Replicas, keep_shopping};
use super::{Options, PATIENCE, proof};
use crate::shop::Shop;

/// Orders that end between two replacements.
const SOME: usize = 40;
/// What a replica counts when it reads an event of a later build without knowing it.
const PASSED_OVER: &str = "tradewind_events_passed_over_total";

/// What came of it.
#[derive(Default)]
pub struct Upgraded {
    seed: u64,
    orders: usize,
    /// Events of types that this build does not know.
    unknown: usize,
    /// Orders placed with fields that this build does not know.
    fuller: usize,
    took: Duration,
    failure: Option<String>,
}

/// Upgrades every service to the `later` build of this program, one replica after the other, and back, while orders flow; then
/// proves everything.
#[must_use]
pub fn upgrade(seed: u64, later: &Path, options: &Options) -> Upgraded {
    let (began, folder) = (Instant::now(), options.folder.join("upgrade"));
    // Left by an earlier run, if there.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for logs");
    let mut upgraded = Upgraded { seed, ..Upgraded::default() };
    let played = block_on(AssertUnwindSafe(Box::pin(play(&mut upgraded, later, &folder))).catch_unwind());
    upgraded.failure = played.err().map(|panic| text_of(&*panic));
    upgraded.took = began.elapsed();
    if upgraded.failure.is_none() {
        // The logs of what went well are of no use.
        let _ = std::fs::remove_dir_all(&folder);
    }
    upgraded
}

async fn play(upgraded: &mut Upgraded, later: &Path, folder: &Path) {
    let this = std::env::current_exe().expect("the path of this program");
    let server = Postgres::start();
    let shop = Shop::unstaffed(|_| server.database()).await;
    let replicas = Replicas::engage(&shop, folder, Duration::ZERO).await;
    let assortment = Box::pin(Assortment::offer(&shop.operator)).await;
    let (count, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
    let shopping =
        keep_shopping(|| shop.person("gateway"), &assortment, upgraded.seed, &count, || enough.load(Ordering::Relaxed));
    let replacing = async {
        ends(&count, SOME).await;
        for (number, program) in [(1, later), (0, later), (0, &this), (1, &this)] {
            for replica in replicas.members.iter().skip(number).step_by(REPLICAS) {
                replica.replace(program).await;
            }
            ends(&count, SOME).await;
            if number == 1 && program == later {
                side_by_side(&replicas).await;
            }
        }
        enough.store(true, Ordering::Relaxed);
    };
    let (settled, ()) = futures::join!(shopping, Box::pin(replacing));
    upgraded.orders = settled.count();
    proof::prove(&shop, &settled).await;
    replicas.check();
    (upgraded.unknown, upgraded.fuller) = of_the_later_build(&shop.database_url("ordering")).await;
    assert!(upgraded.unknown > 0 && upgraded.fuller > 0, "the other program is no later build: it says nothing new");
}

/// Waits until so many more orders have ended.
async fn ends(count: &AtomicUsize, more: usize) {
    let before = count.load(Ordering::Relaxed);
    eventually(PATIENCE, "orders end", async || {
        let now = count.load(Ordering::Relaxed);
        if now >= before + more { Ok(()) } else { Err(now - before) }
    })
    .await;
}

/// Waits until a replica of this build has read what one of the later build has appended to the same stream.
async fn side_by_side(replicas: &Replicas) {
    eventually(PATIENCE, "a replica of this build passes over an event of the later one", async || {
        for replica in &replicas.members {
            if replica.metrics().await.is_ok_and(|metrics| metrics.contains(PASSED_OVER)) {
                return Ok(());
            }
        }
        Err("none has")
    })
    .await;
}

/// How many events in ordering's database are of types, and how many orders were placed with fields, that this build does not know.
async fn of_the_later_build(url: &str) -> (usize, usize) {
    let (url, clock) = (url.to_owned(), Clock::system());
    let migrations = ordering::migrations();
    let options = StoreOptions { url, context: "ordering", migrations, clock, partitions: None };
    let store = Store::open(options).await.expect("the database of ordering");
    let known = prost_reflect::DescriptorPool::decode(contracts::DESCRIPTOR).expect("contracts");
    let (mut unknown, mut fuller) = (0, 0);
    for partition in 0..store.partitions() {
        let mut after = 0;
        loop {
            let events = store.read_log(partition, after, 1_000).await.expect("events").events;
            let Some(last) = events.last() else { break };
            after = last.position;
            for event in events {
                unknown += usize::from(known.get_message_by_name(&event.type_name).is_none());
                if event.type_name == OrderPlaced::full_name() {
                    let placed = OrderPlaced::decode(&*event.payload).expect("an OrderPlaced");
                    fuller += usize::from(placed.encoded_len() < event.payload.len());
                }
            }
        }
    }
    (unknown, fuller)
}

impl Upgraded {
    /// Whether the books hold.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.failure.is_none()
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "seed": self.seed,
            "orders": self.orders,
            "events_of_unknown_types": self.unknown,
            "orders_with_unknown_fields": self.fuller,
            "seconds": self.took.as_secs(),
            "holds": self.is_good(),
            "failure": self.failure,
        })
    }
}

impl Display for Upgraded {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { seed, orders, unknown, fuller, took, failure } = self;
        write!(
            f,
            "this build and a later one side by side: {orders} orders, {fuller} with a field and {unknown} events of a type that \
             this one does not know, {} s; ",
            took.as_secs()
        )?;
        match failure {
            None => write!(f, "everything holds"),
            Some(why) => write!(f, "FAILED with seed {seed}: {why}"),
        }
    }
}
