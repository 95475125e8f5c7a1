//! Two replicas of every service on PostgreSQL under load, one of which is killed every few seconds.

use std::fmt::{self, Display, Formatter};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use futures::FutureExt;
use serde_json::{Value, json};
use tokio::time::sleep;
use tradewind_testing::{Postgres, block_on};

use super::cell::text_of;
use super::dice::Dice;
use super::orders::Assortment;
use super::replicas::{REPLICAS, Replicas, keep_shopping};
use super::staff::Member;
use super::{Options, proof};
use crate::shop::Shop;

/// Between two kills, in milliseconds.
const PAUSES: std::ops::Range<u64> = 2_000..6_000;
/// How long a replica is away.
const ABSENT: Duration = Duration::from_secs(2);

/// What came of it.
pub struct Soaked {
    seed: u64,
    orders: usize,
    kills: usize,
    took: Duration,
    failure: Option<String>,
}

/// Plays for so long, and then proves everything.
#[must_use]
pub fn soak(seed: u64, lasting: Duration, options: &Options) -> Soaked {
    let (began, folder) = (Instant::now(), options.folder.join("soak"));
    // Left by an earlier run, if there.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for logs");
    let mut soaked = Soaked { seed, orders: 0, kills: 0, took: Duration::ZERO, failure: None };
    let played = block_on(AssertUnwindSafe(Box::pin(play(&mut soaked, lasting, &folder))).catch_unwind());
    soaked.failure = played.err().map(|panic| text_of(&*panic));
    soaked.took = began.elapsed();
    if soaked.failure.is_none() {
        // The logs of what went well are of no use.
        let _ = std::fs::remove_dir_all(&folder);
    }
    soaked
}

async fn play(soaked: &mut Soaked, lasting: Duration, folder: &Path) {
    let server = Postgres::start();
    let shop = Shop::unstaffed(|_| server.database()).await;
    let replicas = Replicas::engage(&shop, folder, ABSENT).await;
    let assortment = Box::pin(Assortment::offer(&shop.operator)).await;
    let end = Instant::now() + lasting;
    let count = AtomicUsize::new(0);
    let shopping = keep_shopping(|| shop.person("gateway"), &assortment, soaked.seed, &count, || Instant::now() >= end);
    let (settled, kills) = futures::join!(shopping, kill_until(end, &replicas, Dice::new(soaked.seed)));
    (soaked.orders, soaked.kills) = (settled.count(), kills);
    replicas.ready().await;
    proof::prove(&shop, &settled).await;
    replicas.check();
}

/// Kills one replica after the other; tells how many.
async fn kill_until(end: Instant, replicas: &Replicas, mut dice: Dice) -> usize {
    while Instant::now() < end {
        dice.choose(&replicas.members).kill();
        sleep(Duration::from_millis(dice.within(PAUSES))).await;
    }
    replicas.members.iter().map(Member::deaths).sum()
}

impl Soaked {
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
            "replicas": REPLICAS,
            "orders": self.orders,
            "kills": self.kills,
            "seconds": self.took.as_secs(),
            "holds": self.is_good(),
            "failure": self.failure,
        })
    }
}

impl Display for Soaked {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { seed, orders, kills, took, failure } = self;
        let took = took.as_secs();
        write!(f, "{REPLICAS} replicas of every service: {orders} orders, {kills} kills, {took} s; ")?;
        match failure {
            None => write!(f, "everything holds"),
            Some(why) => write!(f, "FAILED with seed {seed}: {why}"),
        }
    }
}
