//! Two replicas of every service on PostgreSQL under load, one of which is killed every few seconds.

use std::fmt::{self, Display, Formatter};
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;
use tradewind_testing::{Postgres, block_on, free_port};

use super::cell::text_of;
use super::dice::Dice;
use super::orders::{Assortment, Orders, Settled};
use super::staff::Member;
use super::{Options, proof};
use crate::people::Person;
use crate::proxy::Proxy;
use crate::shop::{SERVICES, Shop};

const REPLICAS: usize = 2;
const CUSTOMERS: u64 = 10;
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
    let shop = Shop::unstaffed(|| server.database()).await;
    let replicas = Replicas::engage(&shop, folder).await;
    let assortment = Box::pin(Assortment::offer(&shop)).await;
    let end = Instant::now() + lasting;
    let customers = (0..CUSTOMERS).map(|number| {
        let dice = Dice::new(soaked.seed * CUSTOMERS + number);
        keep_shopping(shop.person("gateway"), &assortment, number, dice, end)
    });
    let kill = replicas.kill_until(end, Dice::new(soaked.seed));
    let (played, kills) = futures::join!(join_all(customers), kill);
    let mut settled = Settled::default();
    played.into_iter().for_each(|of_one| settled.append(of_one));
    (soaked.orders, soaked.kills) = (settled.count(), kills);
    replicas.ready().await;
    proof::prove(&shop, &settled).await;
    replicas.members.iter().for_each(Member::check);
}

/// Places one order after the other, each as soon as the one before has ended.
async fn keep_shopping(
    customer: Person,
    assortment: &Assortment,
    number: u64,
    mut dice: Dice,
    end: Instant,
) -> Settled {
    let (mut settled, mut round) = (Settled::default(), 0);
    while Instant::now() < end {
        let order = Orders::one(&format!("{number}-{round}"), &mut dice);
        settled.append(order.play(&customer, assortment).await);
        round += 1;
    }
    settled
}

/// The replicas of all services, each service's behind one address.
struct Replicas {
    members: Vec<Member>,
    _proxies: Vec<Proxy>,
}

impl Replicas {
    async fn engage(shop: &Shop, logs: &Path) -> Self {
        let (mut members, mut proxies) = (Vec::new(), Vec::new());
        for service in SERVICES {
            let ports = (0..REPLICAS).map(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())));
            let addresses: Vec<_> = ports.collect();
            for (number, address) in addresses.iter().enumerate() {
                let mut variables = shop.variables(service);
                variables.push(("TRADEWIND_GRPC_ADDR", address.to_string()));
                members.push(Member::hire(service, &format!("{service}-{number}"), variables, logs, ABSENT));
            }
            proxies.push(Proxy::open(shop.address(service), addresses).await);
        }
        let replicas = Self { members, _proxies: proxies };
        replicas.ready().await;
        replicas
    }

    async fn ready(&self) {
        join_all(self.members.iter().map(Member::ready)).await;
    }

    /// Kills one after the other; tells how many.
    async fn kill_until(&self, end: Instant, mut dice: Dice) -> usize {
        while Instant::now() < end {
            dice.choose(&self.members).kill();
            sleep(Duration::from_millis(dice.within(PAUSES))).await;
        }
        self.members.iter().map(Member::deaths).sum()
    }
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
