//! What the mesh costs: a method of the contract whose handler does nothing, called through the whole kit and through bare tonic
//! over mTLS, in turns of one run, both on the same two threads and with the same certificates. Then what becomes of calls when one
//! of three replicas is not as the others, or there are too many.

mod balancing;
mod catalog;
mod overload;
mod sides;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::BoxFuture;
use hdrhistogram::Histogram;
use tokio::runtime::{Builder, Runtime};

pub(crate) use self::sides::{CLIENT, SERVER, any_port};
use crate::load::{For, per_second};
use crate::meter::cpu_of_this;
use crate::report::{Bound, Figure};

/// Who has more to do than it can.
pub(crate) const OVERLOADED: &str = "ordering";
/// Who calls that: for himself, and not for a user as the edge does.
pub(crate) const OPERATOR: &str = "operator";
/// Turns that each side has: what else the machine does falls on both.
const TURNS: u32 = 6;
/// Calls at once when throughput is measured.
const BUSY: usize = 64;
const KIT: &str = "mesh";
const TONIC: &str = "bare tonic";

/// Makes one call.
pub(crate) type Call = Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// Measures with the credentials in a folder, those of [`CLIENT`], [`SERVER`], [`OVERLOADED`] and [`OPERATOR`].
pub(crate) fn figures(credentials: &Path, time: For) -> Result<Vec<Figure>> {
    let threads = Threads { server: thread()?, client: thread()? };
    let kit = sides::kit(&threads, credentials)?;
    let bare = sides::bare(&threads, credentials)?;
    let (mut with_kit, mut with_tonic) = (Measured::new()?, Measured::new()?);
    let turn = For(time.0 / TURNS);
    // Until caches are warm and connections open.
    threads.turn(turn, &kit, &mut Measured::new()?)?;
    threads.turn(turn, &bare, &mut Measured::new()?)?;
    for _ in 0..TURNS {
        threads.turn(turn, &kit, &mut with_kit)?;
        threads.turn(turn, &bare, &mut with_tonic)?;
    }
    let mut figures = compared(&with_kit, &with_tonic)?;
    figures.extend(balancing::figures(&threads.client, credentials, time)?);
    figures.extend(overload::figures(&threads.client, credentials, time)?);
    Ok(figures)
}

fn compared(kit: &Measured, tonic: &Measured) -> Result<Vec<Figure>> {
    let [kit_rate, rate] = [kit.rate()?, tonic.rate()?];
    let [kit_p50, p50] = [kit, tonic].map(|side| micros(&side.alone, 0.5));
    let [kit_p99, p99] = [kit, tonic].map(|side| micros(&side.alone, 0.99));
    Ok(vec![
        Figure::new("calls, 64 at once", Some(TONIC), rate, "/s"),
        Figure::new("calls, 64 at once", Some(KIT), kit_rate, "/s").against(rate, TONIC, Bound::AtLeast(0.9)),
        Figure::new("processor a call, 64 at once, both ends", Some(TONIC), tonic.cpu_micros()?, "us"),
        Figure::new("processor a call, 64 at once, both ends", Some(KIT), kit.cpu_micros()?, "us"),
        Figure::new("call alone, p50", Some(TONIC), p50, "us"),
        Figure::new("call alone, p50", Some(KIT), kit_p50, "us").against(p50, TONIC, Bound::MoreAtMost(20.0)),
        Figure::new("call alone, p99", Some(TONIC), p99, "us"),
        Figure::new("call alone, p99", Some(KIT), kit_p99, "us").against(p99, TONIC, Bound::MoreAtMost(50.0)),
    ])
}

/// Where both sides run.
pub(crate) struct Threads {
    pub(crate) server: Runtime,
    pub(crate) client: Runtime,
}

pub(crate) fn thread() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}

/// What was measured of one side.
struct Measured {
    calls: u64,
    elapsed: Duration,
    /// Seconds of processor.
    cpu: f64,
    /// Nanoseconds of a call that is alone.
    alone: Histogram<u64>,
}

impl Measured {
    fn new() -> Result<Self> {
        Ok(Self { calls: 0, elapsed: Duration::ZERO, cpu: 0.0, alone: Histogram::new(3)? })
    }

    fn rate(&self) -> Result<f64> {
        per_second(self.calls, self.elapsed)
    }

    fn cpu_micros(&self) -> Result<f64> {
        Ok(self.cpu * 1e6 / f64::from(u32::try_from(self.calls)?))
    }
}

impl Threads {
    /// One turn of a side: many calls at once for a time, then one after the other for as long again.
    fn turn(&self, time: For, call: &Call, measured: &mut Measured) -> Result<()> {
        let (started, cpu, end) = (Instant::now(), cpu_of_this()?, time.end());
        let callers: Vec<_> = (0..BUSY).map(|_| self.client.spawn(call_until(end, call.clone()))).collect();
        for caller in callers {
            measured.calls += self.client.block_on(caller)??.len();
        }
        measured.elapsed += started.elapsed();
        measured.cpu += cpu_of_this()? - cpu;
        let alone = self.client.spawn(call_until(time.end(), call.clone()));
        measured.alone.add(self.client.block_on(alone)??)?;
        Ok(())
    }
}

/// Calls again and again, and tells how many nanoseconds each call took.
async fn call_until(end: Instant, call: Call) -> Result<Histogram<u64>> {
    let mut nanos = Histogram::new(3)?;
    loop {
        let started = Instant::now();
        if started >= end {
            return Ok(nanos);
        }
        call().await?;
        nanos.record(u64::try_from(started.elapsed().as_nanos())?)?;
    }
}

pub(crate) fn micros(nanos: &Histogram<u64>, quantile: f64) -> f64 {
    f64::from(u32::try_from(nanos.value_at_quantile(quantile)).unwrap_or(u32::MAX)) / 1000.0
}
