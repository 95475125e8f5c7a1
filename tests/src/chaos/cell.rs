//! One cell: a fresh shop, orders, a fault in the midst of them, and the proof that nothing came of it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::FutureExt;
use sea_orm::{ConnectionTrait, Database as Connection, Statement};
use serde_json::json;
use tradewind_events::fault::Point;
use tradewind_testing::{Database, Postgres, block_on, eventually};

use super::dice::Dice;
use super::fault::{Fault, Kill, Mangling, Order};
use super::matrix::{Cell, cells};
use super::orders::{Assortment, Orders, WAVE, WAVES};
use super::staff::Staff;
use super::{Options, PATIENCE, broker, proof};
use crate::shop::{SERVICES, Shop};

/// How often more orders are placed to reach a boundary that the first have not reached often enough.
const MORE: usize = 4;
/// One cell in so many runs on PostgreSQL, besides those that need it.
const POSTGRES: u64 = 3;
/// One service that was killed in so many is killed again, or another is.
const TWICE: u64 = 3;
/// How long nobody can write, or a database stands still: longer than anybody waits for a lock.
const STANDSTILL: Duration = Duration::from_secs(6);

/// What came of a cell.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub(super) cell: Cell,
    pub(super) seed: u64,
    pub(super) store: &'static str,
    pub(super) orders: usize,
    /// How often services were killed.
    pub(super) kills: usize,
    pub(super) took: Duration,
    pub(super) failure: Option<String>,
}

/// Plays a cell; what it leaves behind where it fails is in a folder named after its seed.
#[must_use]
pub fn run(cell: Cell, seed: u64, options: &Options) -> Outcome {
    block_on(run_in_a_shop(cell, seed, options))
}

async fn run_in_a_shop(cell: Cell, seed: u64, options: &Options) -> Outcome {
    let began = Instant::now();
    let folder = options.folder.join(seed.to_string());
    // Left by an earlier run, if there.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for logs");
    let mut dice = Dice::new(seed);
    let store = Store::of(&cell.fault, &mut dice);
    let store_name = store.name();
    let mut outcome =
        Outcome { cell, seed, store: store_name, orders: 0, kills: 0, took: Duration::ZERO, failure: None };
    let played = AssertUnwindSafe(Box::pin(play(&mut outcome, store, &mut dice, &folder, options.forge)));
    outcome.failure = played.catch_unwind().await.err().map(|panic| text_of(&*panic));
    outcome.took = began.elapsed();
    if outcome.failure.is_none() {
        // The logs of what went well are of no use.
        let _ = std::fs::remove_dir_all(&folder);
    }
    outcome
}

pub(super) fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Where the services of a cell keep their data.
enum Store {
    Sqlite,
    /// On a server that other cells use, too.
    Postgres,
    /// On a server of the cell's own, because it suffers.
    OwnPostgres,
}

impl Store {
    fn of(fault: &Fault, dice: &mut Dice) -> Self {
        let by_chance = dice.once_in(POSTGRES);
        match fault {
            Fault::Paused | Fault::Crashed => Self::OwnPostgres,
            Fault::Locked { .. } => Self::Sqlite,
            _ if by_chance => Self::Postgres,
            _ => Self::Sqlite,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres | Self::OwnPostgres => "postgres",
        }
    }
}

async fn play(outcome: &mut Outcome, store: Store, dice: &mut Dice, folder: &Path, forge: bool) {
    let server = matches!(store, Store::OwnPostgres).then(Postgres::start);
    let shop = Shop::unstaffed(|| match (&store, &server) {
        (Store::Sqlite, _) => Database::sqlite(),
        (_, Some(server)) => server.database(),
        (_, None) => Database::postgres(),
    });
    let mut stage = Stage { shop: shop.await, server, folder };
    let fault = outcome.cell.fault.clone();
    let staff = Staff::engage(&stage.shop, folder).await;
    let assortment = Box::pin(Assortment::offer(&stage.shop)).await;
    let orders = Orders::mix(outcome.seed, dice);
    let operator = stage.shop.operator.clone();
    let played = orders.play(&operator, &assortment);
    let (mut settled, ()) = futures::join!(played, stage.strike(&fault, &staff, dice));
    if let Fault::Kill { service, point, .. } = fault {
        for round in 0..MORE {
            if staff.member(service).deaths() == 0 {
                settled.append(Orders::more(outcome.seed, round).play(&operator, &assortment).await);
            }
        }
        assert!(staff.member(service).deaths() > 0, "{service} never came to {}", point.name());
    }
    outcome.orders = settled.count();
    outcome.kills = SERVICES.iter().map(|name| staff.member(name).deaths()).sum();
    staff.ready().await;
    if forge {
        stage.forge(&staff).await;
    }
    let events = proof::prove(&stage.shop, &settled).await;
    staff.check();
    let messages = broker::messages(&stage.shop).await;
    let struck = match &outcome.cell.fault {
        Fault::Deleted | Fault::Silence { .. } => messages < events,
        Fault::Messages(Mangling { lost: 1.., doubled: 0, .. }) => messages < events,
        Fault::Messages(Mangling { lost: 0, doubled: 1.., .. }) => messages > events,
        _ => true,
    };
    assert!(struck, "{events} events are {messages} messages although some were to be lost or doubled");
}

/// A shop and what it stands on. Its databases are kept beside the logs when a cell fails.
struct Stage<'a> {
    shop: Shop,
    server: Option<Postgres>,
    folder: &'a Path,
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep_databases();
        }
    }
}

impl Stage<'_> {
    /// Does to the shop what the cell is about, once orders flow.
    async fn strike(&mut self, fault: &Fault, staff: &Staff, dice: &mut Dice) {
        match fault {
            Fault::Kill { service, point, among } => self.kill(staff, dice, service, *point, among).await,
            Fault::Broker { wave, wiped } => {
                after_wave(*wave, dice).await;
                tokio::task::block_in_place(|| self.shop.nats.stop());
                tokio::time::sleep(Duration::from_millis(dice.within(0..1_500))).await;
                tokio::task::block_in_place(|| {
                    if *wiped {
                        self.shop.nats.wipe();
                    }
                    self.shop.nats.start_again();
                });
            }
            Fault::Deleted => {
                for wave in 0..=WAVES {
                    let reader = dice.choose(&["ordering", "inventory", "payment", "shipping", "notification"]);
                    staff.member(reader).kill();
                    broker::delete_messages(&self.shop, dice).await;
                    after_wave(usize::from(wave > 0), dice).await;
                }
            }
            Fault::Locked { service } => {
                after_wave(1, dice).await;
                self.lock(service).await;
            }
            Fault::Paused => {
                after_wave(1, dice).await;
                let paused = self.server.as_ref().expect("a server of its own").pause();
                tokio::time::sleep(STANDSTILL).await;
                drop(paused);
            }
            Fault::Crashed => {
                after_wave(1, dice).await;
                let server = self.server.as_mut().expect("a server of its own");
                tokio::task::block_in_place(|| server.stop());
                tokio::time::sleep(Duration::from_millis(dice.within(0..1_500))).await;
                tokio::task::block_in_place(|| server.start_again());
            }
            Fault::Messages(mangling) => {
                let seeds: Vec<_> = SERVICES.iter().map(|_| dice.roll()).collect();
                for (service, seed) in SERVICES.iter().zip(seeds) {
                    staff.member(service).tell(&Order::Mangle(Mangling { seed, ..*mangling })).await;
                }
            }
            Fault::Silence { service } => {
                after_wave(1, dice).await;
                let mangling = Mangling { lost: 100, ..Mangling::default() };
                staff.member(service).tell(&Order::Mangle(mangling)).await;
            }
        }
    }

    /// Has a service kill itself, and perhaps one more thing happen then.
    async fn kill(&self, staff: &Staff, dice: &mut Dice, service: &str, point: Point, among: &[&str]) {
        let first = kill_at(dice, point, among);
        let again = dice.once_in(TWICE).then(|| {
            let boundaries: Vec<_> = cells().into_iter().map(|cell| cell.fault).collect();
            let kills: Vec<_> = boundaries.iter().filter(|fault| matches!(fault, Fault::Kill { .. })).collect();
            (*dice.choose(&kills)).clone()
        });
        if point == Point::IntentCalling {
            let slow = json!({ "latency_ms": 150 });
            self.shop.outside.misbehave(&json!({ "card": slow, "carrier": slow, "mail": slow })).await;
        }
        staff.member(service).tell(&Order::Kill(first)).await;
        if let Some(Fault::Kill { service: next, point, among }) = again {
            let second = kill_at(dice, point, among);
            staff.member(service).died(1, WAVE * u32::try_from(WAVES).unwrap()).await;
            staff.member(next).tell(&Order::Kill(second)).await;
        }
    }

    /// Keeps everybody else from writing the database of a service.
    async fn lock(&self, service: &str) {
        let database = Connection::connect(self.shop.database_url(service)).await.unwrap();
        let run = async |sql| database.execute_raw(Statement::from_string(database.get_database_backend(), sql)).await;
        eventually(PATIENCE, "the database is locked", async || run("BEGIN IMMEDIATE").await).await;
        tokio::time::sleep(STANDSTILL).await;
        run("ROLLBACK").await.unwrap();
    }

    /// Lets a reader handle again what it has handled: this must be found.
    async fn forge(&self, staff: &Staff) {
        let database = Connection::connect(self.shop.database_url("notification")).await.unwrap();
        let back = "UPDATE cursor SET position = position - 3 WHERE consumer = 'notification' AND position > 3";
        let back = Statement::from_string(database.get_database_backend(), back);
        eventually(PATIENCE, "the cursor goes back", async || database.execute_raw(back.clone()).await).await;
        let reader = staff.member("notification");
        let deaths = reader.deaths();
        reader.kill();
        reader.died(deaths + 1, PATIENCE).await;
        staff.ready().await;
    }

    /// Copies the databases that are files beside the logs.
    fn keep_databases(&self) {
        for name in SERVICES {
            let url = self.shop.database_url(name);
            let Some(file) = tradewind_events::sqlite_file(&url) else { continue };
            let file = file.display();
            for suffix in ["", "-wal"] {
                // Where there is none, there is none to look at.
                let _ = std::fs::copy(format!("{file}{suffix}"), self.folder.join(format!("{name}.sqlite{suffix}")));
            }
        }
    }
}

/// Waits until so many waves of orders have begun, and a little longer.
async fn after_wave(wave: usize, dice: &mut Dice) {
    let since = WAVE * u32::try_from(wave).unwrap();
    tokio::time::sleep(since + Duration::from_millis(dice.within(0..600))).await;
}

fn kill_at(dice: &mut Dice, point: Point, among: &[&str]) -> Kill {
    let hits = match point {
        Point::TimerFired => 1,
        Point::RequestUncommitted | Point::RequestCommitted | Point::Reacted => 2,
        _ => 4,
    };
    let after_ms = match point {
        Point::PublishSent => dice.within(0..5),
        Point::IntentCalling => dice.within(20..200),
        _ => 0,
    };
    let hit = u32::try_from(dice.within(1..hits + 1)).unwrap();
    let among = among.iter().map(|name| (*name).to_owned()).collect();
    Kill { point: point.name().to_owned(), among, hit, after_ms }
}
