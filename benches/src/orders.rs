//! What an order costs: orders of one line through whole shops, of this build or of two builds in turn.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::On;
use crate::customers::{Confirmed, Customers};
use crate::meter::{Meter, Used};
use crate::shop::Shop;

/// Orders that are placed alone, and how long nothing happens before each.
const ALONE: usize = 100;
const QUIET: Duration = Duration::from_millis(50);
/// For how long nothing happens while idleness is measured.
const IDLE: Duration = Duration::from_secs(3);

/// What is measured, and for how long.
pub(crate) struct Plan {
    pub(crate) in_flight: Vec<usize>,
    pub(crate) time: Duration,
}

/// What one shop did.
struct Measured {
    /// How many orders were on their way, or that each was alone, or that there were none.
    load: String,
    figures: Figures,
}

/// What was measured, its unit included, and the value; in the order in which they are shown.
type Figures = Vec<(String, f64)>;

impl Measured {
    fn value(&self, what: &str) -> f64 {
        self.figures.iter().find(|(name, _)| name == what).map_or(f64::NAN, |(_, value)| *value)
    }
}

/// Measures the shop of a build once.
///
/// # Errors
/// When it does not start, or an order is not confirmed.
async fn measure(Build { programs, told, .. }: &Build, on: On, plan: &Plan) -> Result<Vec<Measured>> {
    let shop = Shop::open(programs, on, told).await?;
    let most = plan.in_flight.iter().copied().max().unwrap_or(1);
    let customers = Customers::of(&shop, most).await?;
    let meter = Meter::of(&shop).await?;
    let mut measured = vec![alone(&customers).await?];
    for in_flight in &plan.in_flight {
        measured.push(under(*in_flight, &customers, &meter, plan.time).await?);
    }
    measured.push(idle(&meter).await?);
    drop((customers, meter));
    shop.close().await?;
    Ok(measured)
}

/// Orders one after the other, each when the one before has long been served.
async fn alone(customers: &Customers) -> Result<Measured> {
    let mut confirmed = Vec::new();
    for _ in 0..ALONE {
        tokio::time::sleep(QUIET).await;
        confirmed.push(customers.order().await?);
    }
    Ok(Measured { load: "alone".to_owned(), figures: latencies(&confirmed) })
}

async fn under(in_flight: usize, customers: &Customers, meter: &Meter<'_>, time: Duration) -> Result<Measured> {
    let enough = AtomicBool::new(false);
    let watching = async {
        let watched = async {
            // Until everything is as it stays.
            tokio::time::sleep(time / 3).await;
            let (before, from) = (meter.read().await?, Instant::now());
            tokio::time::sleep(time).await;
            let (after, to) = (meter.read().await?, Instant::now());
            anyhow::Ok((&after - &before, from, to, meter.peaks()?))
        };
        let watched = watched.await;
        enough.store(true, Ordering::Relaxed);
        watched
    };
    let (confirmed, watched) = tokio::join!(customers.keep_ordering(in_flight, &enough), watching);
    let (used, from, to, peaks) = watched?;
    let confirmed: Vec<_> = confirmed?.into_iter().filter(|one| (from..to).contains(&one.at)).collect();
    ensure!(!confirmed.is_empty(), "no order was confirmed within {time:?}: measure for longer");
    let orders = count(confirmed.len());
    let mut figures = vec![
        ("orders a CPU-second".to_owned(), orders / used.counted()),
        ("orders a second".to_owned(), orders / (to - from).as_secs_f64()),
    ];
    figures.extend(latencies(&confirmed));
    figures.extend(costs(&used, orders, "an order"));
    figures.push(("MB at most".to_owned(), peaks.values().sum()));
    figures.extend(peaks.iter().map(|(name, megabytes)| (format!("MB at most, {name}"), *megabytes)));
    Ok(Measured { load: format!("{in_flight} in flight"), figures })
}

async fn idle(meter: &Meter<'_>) -> Result<Measured> {
    // Mails and the like may be on their way.
    tokio::time::sleep(IDLE).await;
    let before = meter.read().await?;
    tokio::time::sleep(IDLE).await;
    let used = &meter.read().await? - &before;
    Ok(Measured { load: "idle".to_owned(), figures: costs(&used, IDLE.as_secs_f64(), "a second") })
}

/// What was used for each of so many.
fn costs(used: &Used, many: f64, each: &str) -> Figures {
    let mut costs = vec![(format!("CPU ms {each}"), used.counted() * 1000.0 / many)];
    costs.extend(used.cpu.iter().map(|(name, seconds)| (format!("CPU ms {each}, {name}"), seconds * 1000.0 / many)));
    costs.extend(used.counts.iter().map(|(name, count)| (format!("{name} {each}"), count / many)));
    costs
}

fn latencies(confirmed: &[Confirmed]) -> Figures {
    let mut millis: Vec<_> = confirmed.iter().map(|one| one.after.as_secs_f64() * 1000.0).collect();
    millis.sort_by(f64::total_cmp);
    let at = |percent| millis.get(millis.len() * percent / 100).or(millis.last()).copied().unwrap_or_default();
    [50, 99].map(|percent| (format!("placed to confirmed, p{percent}, ms"), at(percent))).into()
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// One build: what it is called, and where its programs are.
pub(crate) struct Build {
    pub(crate) name: String,
    pub(crate) programs: PathBuf,
    /// What its services are told besides.
    pub(crate) told: BTreeMap<String, String>,
}

/// What builds did in turn, so many times each.
#[derive(Serialize)]
pub(crate) struct Comparison {
    pub(crate) on: &'static str,
    pub(crate) builds: Vec<String>,
    pub(crate) loads: Vec<Load>,
}

/// What builds did under one load.
#[derive(Serialize)]
pub(crate) struct Load {
    pub(crate) load: String,
    pub(crate) figures: Vec<Figure>,
}

/// A figure of each build: the median of its rounds.
#[derive(Serialize)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) values: Vec<f64>,
    /// The last build's over the first one's, where there are two: the median of the rounds' ratios.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
    /// Every round of every build.
    pub(crate) rounds: Vec<Vec<f64>>,
}

/// Measures builds in turn, `rounds` times.
///
/// # Errors
/// As [`measure`] does.
pub(crate) async fn compare(builds: &[Build], on: On, plan: &Plan, rounds: usize) -> Result<Comparison> {
    let mut all: Vec<Vec<Vec<Measured>>> = Vec::new();
    for round in 1..=rounds {
        let mut of_round = BTreeMap::new();
        let mut turns: Vec<_> = builds.iter().enumerate().collect();
        // Whoever comes second finds another machine: every second round goes the other way round.
        if round % 2 == 0 {
            turns.reverse();
        }
        for (number, build) in turns {
            eprintln!("orders through the whole shop, {}, {}, round {round} of {rounds}", on.name(), build.name);
            of_round.insert(number, measure(build, on, plan).await?);
        }
        let of_round: Vec<_> = of_round.into_values().collect();
        all.push(of_round);
    }
    let Some(first) = all.first().and_then(|round| round.first()) else { anyhow::bail!("nothing to measure") };
    let loads = first.iter().enumerate().map(|(number, load)| {
        let figure = |what: &String| {
            let of = |build: usize| -> Vec<f64> { all.iter().map(|round| round[build][number].value(what)).collect() };
            let rounds: Vec<Vec<f64>> = (0..builds.len()).map(of).collect();
            let ratio = match &rounds[..] {
                [first, last] => Some(median(first.iter().zip(last).map(|(first, last)| last / first))),
                _ => None,
            }
            // Nothing is no multiple of nothing.
            .filter(|ratio: &f64| ratio.is_finite());
            Figure {
                what: what.clone(),
                values: rounds.iter().map(|of| median(of.iter().copied())).collect(),
                ratio,
                rounds,
            }
        };
        Load { load: load.load.clone(), figures: load.figures.iter().map(|(what, _)| figure(what)).collect() }
    });
    Ok(Comparison {
        on: on.name(),
        builds: builds.iter().map(|build| build.name.clone()).collect(),
        loads: loads.collect(),
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(values[upper - 1], values[upper]),
        _ => values[upper],
    }
}

impl Comparison {
    /// The table, one line a figure.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for Load { load, figures } in &self.loads {
            let builds: Vec<_> = self.builds.iter().map(|build| format!("{build:>12}")).collect();
            let ratio = if self.builds.len() == 2 { "  ratio" } else { "" };
            lines.push(format!("{:<40}{}{ratio}", format!("{}, {load}", self.on), builds.join("")));
            for Figure { what, values, ratio, .. } in figures {
                let values: Vec<_> = values.iter().map(|value| format!("{value:>12.2}")).collect();
                let ratio = ratio.map(|ratio| format!("{ratio:>7.3}")).unwrap_or_default();
                lines.push(format!("  {what:<38}{}{ratio}", values.join("")));
            }
            lines.push(String::new());
        }
        lines
    }
}
