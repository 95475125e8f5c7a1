//! Three times as many calls as a server can answer, of which a quarter are critical: what it does with as many as it likes, beside
//! what it does then. Its handlers share eight places, as those of a service share the connections of a database.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use contracts::tradewind::ordering::v1::ordering_service_client::OrderingServiceClient;
use contracts::tradewind::ordering::v1::ordering_service_server::{OrderingService, OrderingServiceServer};
use contracts::tradewind::ordering::v1::{
    CancelOrderRequest, CancelOrderResponse, EraseCustomerRequest, EraseCustomerResponse, GetOrderHistoryRequest,
    GetOrderHistoryResponse, GetOrderRequest, GetOrderResponse, ListOrderEventsRequest, ListOrderEventsResponse,
    ListOrdersRequest, ListOrdersResponse, PlaceOrderRequest, PlaceOrderResponse, WatchOrderRequest,
    WatchOrderResponse,
};
use futures::stream::Empty;
use hdrhistogram::Histogram;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic::{Request, Response, Status, async_trait};
use tradewind_mesh::{Channel, Channels, Identity, IdentityFiles, Policy, Server};

use super::{KIT, OPERATOR, OVERLOADED, micros, thread};
use crate::load::{For, per_second};
use crate::meter::resident_of_this;
use crate::report::{Bound, Figure};

/// What an answer takes, and how many are worked on at once: 1,600 a second.
const WORK: Duration = Duration::from_millis(5);
const PLACES: usize = 8;
/// Callers that have as much as there is.
const CALLERS: u64 = 64;
/// One in so many calls is critical.
const CRITICAL: u64 = 4;
const TIMES: f64 = 3.0;
const LEARNING: Duration = Duration::from_secs(1);
/// How often calls are made, as many as are due.
const TICK: Duration = Duration::from_millis(2);
/// A call that took longer helped nobody.
const OF_USE: Duration = Duration::from_secs(1);
const PEAK: &str = "the peak";

#[derive(Clone)]
struct Orders(Arc<Semaphore>);

impl Orders {
    async fn work(&self) -> Result<(), Status> {
        let _place = self.0.acquire().await.map_err(|_| Status::unavailable("closed"))?;
        tokio::time::sleep(WORK).await;
        Ok(())
    }
}

#[async_trait]
impl OrderingService for Orders {
    async fn place_order(&self, _: Request<PlaceOrderRequest>) -> Result<Response<PlaceOrderResponse>, Status> {
        self.work().await.map(|()| Response::new(PlaceOrderResponse::default()))
    }

    async fn list_orders(&self, _: Request<ListOrdersRequest>) -> Result<Response<ListOrdersResponse>, Status> {
        self.work().await.map(|()| Response::new(ListOrdersResponse::default()))
    }

    async fn get_order(&self, _: Request<GetOrderRequest>) -> Result<Response<GetOrderResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    type WatchOrderStream = Empty<Result<WatchOrderResponse, Status>>;

    async fn watch_order(&self, _: Request<WatchOrderRequest>) -> Result<Response<Self::WatchOrderStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn cancel_order(&self, _: Request<CancelOrderRequest>) -> Result<Response<CancelOrderResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_order_history(
        &self,
        _: Request<GetOrderHistoryRequest>,
    ) -> Result<Response<GetOrderHistoryResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn erase_customer(
        &self,
        _: Request<EraseCustomerRequest>,
    ) -> Result<Response<EraseCustomerResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_order_events(
        &self,
        _: Request<ListOrderEventsRequest>,
    ) -> Result<Response<ListOrderEventsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// What came of calls: of each kind, how long those took that were answered in time to be of use.
struct Outcome {
    critical: Histogram<u64>,
    others: Histogram<u64>,
    elapsed: Duration,
}

impl Outcome {
    fn new() -> Result<Self> {
        Ok(Self { critical: Histogram::new(3)?, others: Histogram::new(3)?, elapsed: Duration::ZERO })
    }

    fn take(&mut self, is_critical: bool, took: Duration) -> Result<()> {
        let kind = if is_critical { &mut self.critical } else { &mut self.others };
        if took <= OF_USE {
            kind.record(u64::try_from(took.as_nanos())?)?;
        }
        Ok(())
    }

    fn rate(&self) -> Result<f64> {
        per_second(self.critical.len() + self.others.len(), self.elapsed)
    }

    fn critical_p99(&self) -> f64 {
        micros(&self.critical, 0.99) / 1000.0
    }
}

/// Calls through one channel, every so many a critical one.
#[derive(Clone)]
struct Caller {
    client: OrderingServiceClient<Channel>,
    made: Arc<AtomicU64>,
}

impl Caller {
    /// Makes the next call; tells whether it was critical, and how long it took if it was answered.
    async fn call(&mut self) -> (bool, Option<Duration>) {
        let is_critical = self.made.fetch_add(1, Relaxed).is_multiple_of(CRITICAL);
        let began = Instant::now();
        let answered = if is_critical {
            self.client.place_order(PlaceOrderRequest::default()).await.is_ok()
        } else {
            self.client.list_orders(ListOrdersRequest::default()).await.is_ok()
        };
        (is_critical, answered.then(|| began.elapsed()))
    }
}

pub(super) fn figures(client: &Runtime, credentials: &Path, time: For) -> Result<Vec<Figure>> {
    let server = thread()?;
    let caller = caller(client, credentials, serve(&server, credentials)?)?;
    // Until the server knows what is usual, and how much it can do.
    client.block_on(at_once(&caller, 4, time))?;
    client.block_on(at_once(&caller, CALLERS, time))?;
    let peak = client.block_on(at_once(&caller, CALLERS, time))?;
    ensure!(!peak.critical.is_empty(), "no call was answered");
    let (rate, before) = (peak.rate()?, resident_of_this()?);
    // The first second is the server's to learn in.
    client.block_on(at_rate(&caller, rate * TIMES, For(LEARNING)))?;
    let flooded = client.block_on(at_rate(&caller, rate * TIMES, For(time.0 * 2)))?;
    let after = resident_of_this()?;
    server.shutdown_background();
    let figure = |what: &str, value, unit| Figure::new(what, Some(KIT), value, unit);
    Ok(vec![
        figure("answers of a server that is busy", rate, "/s"),
        figure("three times as many calls: answers", flooded.rate()?, "/s").against(rate, PEAK, Bound::AtLeast(0.8)),
        figure("critical calls of a busy server, p99", peak.critical_p99(), "ms"),
        figure("three times as many: critical calls, p99", flooded.critical_p99(), "ms").against(
            peak.critical_p99(),
            PEAK,
            Bound::AtMost(2.0),
        ),
        figure("three times as many: memory of both ends", after, "MB").against(
            before,
            "before",
            Bound::MoreAtMost(100.0),
        ),
    ])
}

fn serve(thread: &Runtime, credentials: &Path) -> Result<SocketAddr> {
    let identity = Identity::load(IdentityFiles::in_dir(credentials, OVERLOADED))?;
    let policy = Policy::new(&contracts::CONTRACT);
    let server = thread.block_on(Server::bind(([127, 0, 0, 1], 0).into(), identity, policy, OVERLOADED))?;
    let address = server.local_addr();
    let routes = Routes::new(OrderingServiceServer::new(Orders(Arc::new(Semaphore::new(PLACES)))));
    thread.spawn(server.serve(routes, CancellationToken::new(), Duration::ZERO));
    Ok(address)
}

fn caller(thread: &Runtime, credentials: &Path, address: SocketAddr) -> Result<Caller> {
    let identity = Identity::load(IdentityFiles::in_dir(credentials, OPERATOR))?;
    let peers = BTreeMap::from([(OVERLOADED.to_owned(), address.to_string())]);
    let _context = thread.enter();
    let channel = Channels::new(identity, Policy::new(&contracts::CONTRACT), peers).to(OVERLOADED)?;
    Ok(Caller { client: OrderingServiceClient::new(channel), made: Arc::default() })
}

/// So many callers, each of which calls again when it was answered.
async fn at_once(caller: &Caller, callers: u64, time: For) -> Result<Outcome> {
    let (began, end, mut outcome) = (Instant::now(), time.end(), Outcome::new()?);
    let calling = (0..callers).map(|_| {
        let mut caller = caller.clone();
        tokio::spawn(async move {
            let mut calls = Vec::new();
            while Instant::now() < end {
                calls.push(caller.call().await);
            }
            calls
        })
    });
    for calls in futures::future::join_all(calling).await {
        for (is_critical, took) in calls? {
            if let Some(took) = took {
                outcome.take(is_critical, took)?;
            }
        }
    }
    outcome.elapsed = began.elapsed();
    Ok(outcome)
}

/// So many calls a second, whatever becomes of those before.
async fn at_rate(caller: &Caller, rate: f64, time: For) -> Result<Outcome> {
    let (began, end, calls) = (Instant::now(), time.end(), TaskTracker::new());
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (mut made, mut ticks) = (0.0, tokio::time::interval(TICK));
    while Instant::now() < end {
        ticks.tick().await;
        while made < rate * began.elapsed().as_secs_f64() {
            made += 1.0;
            let (mut caller, tell) = (caller.clone(), tell.clone());
            // Whoever listens stays until the last has told.
            calls.spawn(async move { tell.send(caller.call().await) });
        }
    }
    let mut outcome = Outcome::new()?;
    outcome.elapsed = began.elapsed();
    calls.close();
    calls.wait().await;
    drop(tell);
    while let Some((is_critical, took)) = told.recv().await {
        if let Some(took) = took {
            outcome.take(is_critical, took)?;
        }
    }
    Ok(outcome)
}
