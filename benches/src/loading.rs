//! Loading an aggregate that nobody has in memory: a short stream beside a long one, without a snapshot and with one.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tradewind_domain::{Aggregate, Snapshot};
use tradewind_store::{AsOf, Store};
use tradewind_testing::Database;

use crate::load::For;
use crate::report::{Bound, Figure};
use crate::toy::{self, AccountEvent, Deposit, Never};

const SHORT: u64 = 10;
const LONG: u64 = 1_000;
/// After so many events a snapshot is kept.
const EVERY: u64 = 10;
/// How often each is loaded in turn, so that what slows the machine down slows all of them down.
const IN_TURN: u32 = 50;

const OF_SHORT: &str = "that of 10";

/// Counts what came in, and is kept after every so many; with 0 never.
#[derive(Clone, Default)]
struct Counted<const EVERY: u64>(u64);

impl<const EVERY: u64> Aggregate for Counted<EVERY> {
    const NAME: &'static str = "account";
    type Command = Deposit;
    type Event = AccountEvent;
    type Error = Never;
    const SNAPSHOT: Option<Snapshot<Self>> = match EVERY {
        0 => None,
        every => Some(Snapshot {
            every,
            form: 1,
            encode: |Self(count)| count.to_be_bytes().to_vec(),
            decode: |bytes| Some(Self(u64::from_be_bytes(bytes.try_into().ok()?))),
        }),
    };

    fn decide(&self, deposit: Deposit) -> Result<Vec<AccountEvent>, Never> {
        Ok(toy::deposits(deposit))
    }

    fn evolve(&mut self, _: &AccountEvent) {
        self.0 += 1;
    }
}

/// A stream, and how long it took to load it so many times.
struct Loads {
    id: &'static str,
    events: u64,
    took: Duration,
}

/// What loading takes: 10 events, 1,000 from the first, 1,000 with the snapshot just kept, and with the next one about to be.
pub(crate) async fn figures(database: &Database, on: &'static str, time: For) -> Result<Vec<Figure>> {
    let store = toy::open(&database.url(), toy::BANK).await?;
    let streams = [("short", SHORT), ("whole", LONG), ("kept", LONG), ("due", LONG + EVERY - 1)];
    let mut loads = streams.map(|(id, events)| Loads { id, events, took: Duration::ZERO });
    for Loads { id, events, .. } in &loads {
        grow(&store, id, *events).await?;
    }
    let (until, mut rounds) = (time.end(), 0_u32);
    while Instant::now() < until {
        for load in &mut loads {
            let started = Instant::now();
            for _ in 0..IN_TURN {
                let seen = if load.id == "whole" || load.id == "short" {
                    as_if_new::<0>(&store, load.id).await?
                } else {
                    as_if_new::<EVERY>(&store, load.id).await?
                };
                ensure!(seen == load.events, "{} has {seen} events", load.id);
            }
            load.took += started.elapsed();
        }
        rounds += IN_TURN;
    }
    let [short, whole, kept, due] = loads.map(|load| load.took.as_secs_f64() * 1e6 / f64::from(rounds));
    let figure = |what: &str, value| Figure::new(format!("loading {what}"), Some(on), value, "µs");
    Ok(vec![
        figure("10 events", short),
        figure("1,000 events", whole).against(short, OF_SHORT, Bound::AtLeast(1.0)),
        figure("1,000 events by a snapshot", kept).against(short, OF_SHORT, Bound::AtMost(2.0)),
        figure("1,009 events by a snapshot of 1,000", due).against(short, OF_SHORT, Bound::AtMost(2.0)),
    ])
}

/// Appends so many events, one a transaction where a snapshot is due.
async fn grow(store: &Store, id: &str, events: u64) -> Result<()> {
    let mut left = events;
    while left > 0 {
        let some = left.min(EVERY);
        let mut tx = store.begin().await?;
        tx.execute::<Counted<EVERY>>(id, Deposit { batch: 0, times: usize::try_from(some)? }).await?;
        tx.commit().await?;
        left -= some;
    }
    Ok(())
}

/// How many events an account has seen, read from the database whatever is in memory.
async fn as_if_new<const EVERY: u64>(store: &Store, id: &str) -> Result<u64> {
    Ok(store.load_as_of::<Counted<EVERY>>(id, AsOf::Version(u64::MAX)).await?.state.0)
}
