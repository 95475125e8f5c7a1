//! Three replicas, each on a thread of its own, of which one is slow, dies, or fails at once; beside round robin over the same three.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::runtime::Runtime;

use super::catalog::Catalog;
use super::{Call, KIT, sides, thread};
use crate::load::For;
use crate::report::{Bound, Figure};

/// Calls under way at a time.
const CALLERS: usize = 16;
/// What an answer takes, and how many times that where one replica is slow.
const WORK: Duration = Duration::from_millis(5);
const SLOWER: u32 = 20;
/// A call that took longer helped nobody.
const OF_USE: Duration = Duration::from_secs(1);
const HEALTHY: &str = "three that are well";
const ROUND_ROBIN: &str = "round robin";

struct Replicas<'a> {
    client: &'a Runtime,
    credentials: &'a Path,
    all: [Replica; 3],
}

struct Replica {
    catalog: Catalog,
    address: SocketAddr,
    thread: Runtime,
}

/// What came of many calls.
struct Outcome {
    /// Milliseconds of 99 in 100 of those that succeeded.
    p99: f64,
    calls: f64,
    /// Those that succeeded, in time to be of use.
    well: f64,
}

pub(super) fn figures(client: &Runtime, credentials: &Path, time: For) -> Result<Vec<Figure>> {
    let start = || Replicas::start(client, credentials);
    let figure = |what: &str, on, value, unit| Figure::new(what, Some(on), value, unit);

    let replicas = start()?;
    let healthy = replicas.load(&replicas.balanced()?, time, || {})?;
    replicas.all[0].catalog.takes.store(micros(WORK * SLOWER), Relaxed);
    let slow = replicas.load(&replicas.balanced()?, time, || {})?;
    let in_turn = replicas.load(&replicas.in_turn()?, time, || {})?;

    let Replicas { all: [first, second, third], .. } = start()?;
    let (dies, others) = (first, [second, third]);
    let addresses = [&dies, &others[0], &others[1]].map(|replica| replica.address);
    let call = sides::caller(client, credentials, &list(&addresses))?;
    let dead = load(client, &[call], time, || dies.thread.shutdown_background())?;
    others.into_iter().for_each(Replica::end);

    let broken = start()?;
    broken.all[0].catalog.broken.store(true, Relaxed);
    let failing = broken.load(&broken.balanced()?, time, || {})?;
    let asked = f64::from(u32::try_from(broken.all[0].catalog.asked.load(Relaxed))?);

    let well = |what: &str, on, outcome: &Outcome| {
        figure(&format!("calls that succeed within 1 s, {what}"), on, outcome.well, "").against(
            outcome.calls,
            "all",
            Bound::AtLeast(0.9999),
        )
    };
    let figures = vec![
        figure("3 replicas, p99", KIT, healthy.p99, "ms"),
        figure("one of 3 is 20 times slower, p99", KIT, slow.p99, "ms").against(
            healthy.p99,
            HEALTHY,
            Bound::AtMost(1.3),
        ),
        figure("one of 3 is 20 times slower, p99", ROUND_ROBIN, in_turn.p99, "ms"),
        well("one of 3 slow", KIT, &slow),
        well("one of 3 dies", KIT, &dead),
        well("one of 3 fails at once", KIT, &failing),
        figure("calls that one which fails at once is asked", KIT, asked, "").against(
            failing.calls,
            "all",
            Bound::AtMost(0.01),
        ),
    ];
    replicas.end();
    broken.end();
    Ok(figures)
}

impl<'a> Replicas<'a> {
    fn start(client: &'a Runtime, credentials: &'a Path) -> Result<Self> {
        let one = || -> Result<Replica> {
            let (thread, catalog) = (thread()?, Catalog::default());
            catalog.takes.store(micros(WORK), Relaxed);
            let address = sides::serve(&thread, credentials, catalog.clone())?;
            Ok(Replica { catalog, address, thread })
        };
        Ok(Self { client, credentials, all: [one()?, one()?, one()?] })
    }

    /// One channel over all of them.
    fn balanced(&self) -> Result<Vec<Call>> {
        let addresses = self.all.each_ref().map(|replica| replica.address);
        Ok(vec![sides::caller(self.client, self.credentials, &list(&addresses))?])
    }

    /// A channel to each, to be taken in turn.
    fn in_turn(&self) -> Result<Vec<Call>> {
        let to = |replica: &Replica| sides::caller(self.client, self.credentials, &replica.address.to_string());
        self.all.iter().map(to).collect()
    }

    fn load(&self, calls: &[Call], time: For, halfway: impl FnOnce()) -> Result<Outcome> {
        load(self.client, calls, time, halfway)
    }

    fn end(self) {
        self.all.into_iter().for_each(Replica::end);
    }
}

impl Replica {
    fn end(self) {
        self.thread.shutdown_background();
    }
}

/// Has so many callers call for a time, each call the next of `calls`; does something when half of the time is over.
fn load(client: &Runtime, calls: &[Call], time: For, halfway: impl FnOnce()) -> Result<Outcome> {
    let (calls, turn, failed): (Arc<[Call]>, _, _) =
        (calls.into(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
    let end = time.end();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (calls, turn, failed) = (calls.clone(), turn.clone(), failed.clone());
            client.spawn(async move {
                let mut micros = Histogram::<u64>::new(3)?;
                loop {
                    let started = Instant::now();
                    if started >= end {
                        return anyhow::Ok(micros);
                    }
                    let call = &calls[turn.fetch_add(1, Relaxed) % calls.len()];
                    match call().await {
                        Ok(()) => micros.record(u64::try_from(started.elapsed().as_micros())?)?,
                        Err(_) => drop(failed.fetch_add(1, Relaxed)),
                    }
                }
            })
        })
        .collect();
    client.block_on(async { tokio::time::sleep(time.0 / 2).await });
    halfway();
    let mut micros = Histogram::<u64>::new(3)?;
    for caller in callers {
        micros.add(client.block_on(caller)??)?;
    }
    let count = |number: u64| u32::try_from(number).map(f64::from);
    let well = micros.count_between(0, self::micros(OF_USE));
    Ok(Outcome {
        p99: count(micros.value_at_quantile(0.99))? / 1000.0,
        calls: count(micros.len() + failed.load(Relaxed))?,
        well: count(well)?,
    })
}

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
