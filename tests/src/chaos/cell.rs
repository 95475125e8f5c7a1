//! One cell: a fresh shop, orders, a fault in the midst of them, and the proof that nothing came of it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::FutureExt;
use supervisor::services;
use tradewind_testing::{Database, Postgres, block_on};

use super::dice::Dice;
use super::fault::{Fault, Mangling};
use super::matrix::Cell;
use super::orders::{Assortment, Orders};
use super::staff::Staff;
use super::stage::Stage;
use super::{Options, broker, proof};
use crate::shop::Shop;

/// How often more orders are placed to reach a boundary that the first have not reached often enough.
const MORE: usize = 4;
/// One cell in so many runs on PostgreSQL, besides those that need it.
const POSTGRES: u64 = 3;

/// What came of a cell.
#[derive(Clone, Debug)]
pub struct Verdict {
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
pub fn run(cell: Cell, seed: u64, options: &Options) -> Verdict {
    block_on(run_in_a_shop(cell, seed, options))
}

async fn run_in_a_shop(cell: Cell, seed: u64, options: &Options) -> Verdict {
    let began = Instant::now();
    let folder = options.folder.join(seed.to_string());
    // Left by an earlier run, if there.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for logs");
    let mut dice = Dice::new(seed);
    let store = Store::of(&cell.fault, &mut dice);
    let store_name = store.name();
    let mut outcome =
        Verdict { cell, seed, store: store_name, orders: 0, kills: 0, took: Duration::ZERO, failure: None };
    let played = AssertUnwindSafe(Box::pin(play(&mut outcome, store, &mut dice, &folder, options.forge)));
    outcome.failure = played.catch_unwind().await.err().map(|panic| text_of(&*panic));
    outcome.took = began.elapsed();
    if outcome.failure.is_none() {
        // The logs of what went well are of no use.
        let _ = std::fs::remove_dir_all(&folder);
    }
    outcome
}

pub(crate) fn text_of(panic: &(dyn Any + Send)) -> String {
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
            Fault::Stalled => Self::Postgres,
            Fault::Locked { .. } | Fault::WentBack { .. } => Self::Sqlite,
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

async fn play(outcome: &mut Verdict, store: Store, dice: &mut Dice, folder: &Path, forge: bool) {
    let alone = match outcome.cell.fault {
        Fault::WentBack { service, .. } => Some(service),
        _ => None,
    };
    // One that goes back is killed over and over, and need not outlive the machine.
    let server = match alone {
        Some(_) => Some(Postgres::start_with(&["fsync=off"])),
        None => matches!(store, Store::OwnPostgres).then(Postgres::start),
    };
    let shop = Shop::unstaffed(|name| match (&store, &server) {
        (Store::Sqlite, Some(server)) if alone == Some(name) => server.database(),
        (Store::Sqlite, _) => Database::sqlite(),
        (_, Some(server)) => server.database(),
        (_, None) => Database::postgres(),
    });
    let mut stage = Stage { shop: shop.await, server, folder };
    let fault = outcome.cell.fault.clone();
    let staff = Staff::engage(&stage.shop, folder).await;
    let assortment = Box::pin(Assortment::offer(&stage.shop.operator)).await;
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
    outcome.kills = services::names().iter().map(|name| staff.member(name).deaths()).sum();
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
