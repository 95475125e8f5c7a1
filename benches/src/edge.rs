//! What the edge costs: REST through the gateway beside grpc-gateway (Go), each a process of its own before the same service, with the
//! same requests from the same caller, in turns of one run. What counts is the processor of the process in between. Then a call that
//! is alone, beside one that goes to the service itself.

mod caller;
mod catalog;
mod fronts;
mod requests;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;

use self::caller::{Caller, Http};
use self::fronts::{Front, Kind};
use self::requests::{Asked, Requests};
use crate::load::For;
use crate::mesh::{Call, Threads, micros, thread};
use crate::meter::cpu_of;
use crate::report::{Bound, Figure};

/// Who is called, who calls, who stands for grpc-gateway, and whose tokens are believed.
pub(crate) const WHO: [&str; 4] = [SERVICE, GATEWAY, OTHER, ISSUER];
const SERVICE: &str = "catalog";
const GATEWAY: &str = "gateway";
const OTHER: &str = "operator";
const ISSUER: &str = "identity";
/// Who issues the token.
const ISSUED_BY: &str = "https://bench.example";
/// Turns that each side has: what else the machine does falls on both.
const TURNS: u32 = 6;
/// Calls in a row of one that is alone, before the other side has its turn.
const ROW: usize = 25;
/// Microseconds that a gateway may add to a call that is alone, where it need not be woken up for it.
const ADDED: f64 = 60.0;
const DIRECT: &str = "gRPC, direct";

/// What was measured of a front, for one kind of request.
#[derive(Default)]
struct Measured {
    requests: u64,
    /// Seconds of processor.
    cpu: f64,
}

impl Measured {
    fn per_cpu_second(&self) -> Result<f64> {
        ensure!(self.cpu > 0.0, "no processor was used: measure for longer");
        Ok(f64::from(u32::try_from(self.requests)?) / self.cpu)
    }
}

/// Measures with the `tradewind` of a folder, and the `grpc-gateway` beside it where there is one.
pub(crate) fn figures(programs: &Path, credentials: &Path, time: For) -> Result<Vec<Figure>> {
    let threads = Threads { server: thread()?, client: thread()? };
    let service = catalog::serve(&threads.server, credentials)?;
    let requests = Requests::new(credentials)?;
    let keys = threads.server.block_on(requests.publish_keys())?;
    let open = |kind| threads.client.block_on(Front::gateway(kind, programs, credentials, service, keys));
    let (gateway, polling) = (open(Kind::Gateway)?, open(Kind::Polling)?);
    let other = threads.client.block_on(Front::grpc_gateway(programs, credentials, service))?;
    if other.is_none() {
        eprintln!("no grpc-gateway beside tradewind: the gateway is measured alone; scripts/grpc-gateway builds it");
    }
    let mut figures = Vec::new();
    let mut ratios = Vec::new();
    for http in [Http::One, Http::Two] {
        for asked in Asked::ALL {
            let mut fronts = vec![&gateway];
            fronts.extend(&other);
            let measured = in_turns(&threads, &fronts, http, &requests, asked, time)?;
            let what = format!("REST a processor second, {}, {}", http.name(), asked.name());
            let rates = measured.iter().map(Measured::per_cpu_second).collect::<Result<Vec<_>>>()?;
            let mut figure = Figure::new(&what, Some(GATEWAY), rates[0], "/s");
            if let Some(rate) = rates.get(1) {
                figures.push(Figure::new(&what, Some(Kind::GrpcGateway.name()), *rate, "/s"));
                figure = figure.against(*rate, Kind::GrpcGateway.name(), Bound::AtLeast(2.0));
                ratios.push(rates[0] / rate);
            }
            figures.push(figure);
        }
    }
    if !ratios.is_empty() {
        let mean = ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / f64::from(u32::try_from(ratios.len())?);
        let figure = Figure::new("REST a processor second, geometric mean", Some(GATEWAY), mean.exp(), "times");
        figures.push(figure.against(1.0, Kind::GrpcGateway.name(), Bound::AtLeast(2.0)));
    }
    let fronts = [Some(&gateway), Some(&polling), other.as_ref()];
    figures.extend(alone(&threads, credentials, service, &fronts, &requests, time)?);
    Ok(figures)
}

/// What each front does with requests of one kind, many at once.
fn in_turns(
    threads: &Threads,
    fronts: &[&Front],
    http: Http,
    requests: &Requests,
    asked: Asked,
    time: For,
) -> Result<Vec<Measured>> {
    let turn = For(time.0 / TURNS);
    let open = |front: &&Front| threads.client.block_on(Caller::open(http, front.address));
    let mut callers = fronts.iter().map(open).collect::<Result<Vec<_>>>()?;
    let mut measured: Vec<Measured> = fronts.iter().map(|_| Measured::default()).collect();
    // The first turn warms caches up.
    for number in 0..=TURNS {
        for ((front, caller), measured) in fronts.iter().zip(&mut callers).zip(&mut measured) {
            let (request, before) = (requests.of(front.kind, asked)?, cpu_of(front.process())?.own);
            let answered = threads.client.block_on(caller.load(&request, turn))?;
            if number > 0 {
                measured.requests += answered;
                measured.cpu += cpu_of(front.process())?.own - before;
            }
        }
    }
    Ok(measured)
}

/// A small request that is alone, through each front and without any.
fn alone(
    threads: &Threads,
    credentials: &Path,
    service: SocketAddr,
    fronts: &[Option<&Front>],
    requests: &Requests,
    time: For,
) -> Result<Vec<Figure>> {
    let mut sides = vec![(DIRECT, catalog::direct(&threads.client, credentials, service)?)];
    for front in fronts.iter().flatten() {
        let caller = threads.client.block_on(Caller::open(Http::One, front.address))?;
        let request = requests.of(front.kind, Asked::Small)?;
        sides.push((front.kind.name(), caller.one_by_one(&request)?));
    }
    let mut nanos = sides.iter().map(|_| Histogram::new(3)).collect::<Result<Vec<Histogram<u64>>, _>>()?;
    for (_, call) in &sides {
        threads.client.block_on(row(call.clone(), 8 * ROW))?;
    }
    let end = For(time.0 * 2).end();
    while Instant::now() < end {
        for ((_, call), nanos) in sides.iter().zip(&mut nanos) {
            let took = threads.client.block_on(threads.client.spawn(row(call.clone(), ROW)))??;
            for took in took {
                nanos.record(took)?;
            }
        }
    }
    let p50: Vec<f64> = nanos.iter().map(|nanos| micros(nanos, 0.5)).collect();
    let named = sides.iter().zip(&p50).map(|((name, _), value)| {
        let figure = Figure::new("GET alone, p50", Some(name), *value, "us");
        if *name == Kind::Polling.name() { figure.against(p50[0], DIRECT, Bound::MoreAtMost(ADDED)) } else { figure }
    });
    Ok(named.collect())
}

/// Nanoseconds of each of so many calls, one after the other.
async fn row(call: Call, calls: usize) -> Result<Vec<u64>> {
    let mut nanos = Vec::with_capacity(calls);
    for _ in 0..calls {
        let started = Instant::now();
        call().await?;
        nanos.push(u64::try_from(started.elapsed().as_nanos())?);
    }
    Ok(nanos)
}
