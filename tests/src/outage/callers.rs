//! Those who call the first of the row, one call after the other with a moment between, and what they see.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use contracts::tradewind::catalog::v1::GetProductRequest;
use contracts::tradewind::catalog::v1::catalog_service_client::CatalogServiceClient;
use futures::future::join_all;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request};
use tradewind_mesh::{Channel, code_name};
use tradewind_testing::eventually;

use crate::PATIENCE;

const CALLERS: usize = 32;
/// What each gives a call.
pub(super) const DEADLINE: Duration = Duration::from_secs(1);
/// Between two calls of one caller: those that are refused at once would be a load of another kind.
const PAUSE: Duration = Duration::from_millis(40);
/// Over so long a time a rate is taken, and so often.
const WINDOW: Duration = Duration::from_millis(500);
const STEP: Duration = Duration::from_millis(100);
/// So much of the usual rate is the usual rate.
const USUAL: f64 = 0.9;

/// All callers, who call until they are told to end.
pub(super) struct Callers {
    seen: Arc<Seen>,
    calling: Vec<JoinHandle<()>>,
    end: CancellationToken,
}

#[derive(Default)]
struct Seen {
    begun: AtomicU64,
    /// When calls succeeded.
    well: Mutex<Vec<Instant>>,
    latest: Mutex<Duration>,
    /// How many calls have ended, by how.
    ended: Mutex<BTreeMap<&'static str, u64>>,
}

impl Callers {
    /// Each has a channel of its own, as if it were another process: what one learns of an endpoint, or saves up for
    /// repetitions, is none of the others'.
    pub(super) fn start(channel: impl Fn() -> Channel) -> Self {
        let (seen, end) = (Arc::<Seen>::default(), CancellationToken::new());
        let calling = (0..CALLERS).map(|_| {
            let (client, seen, end) = (CatalogServiceClient::new(channel()), seen.clone(), end.clone());
            tokio::spawn(async move {
                while !end.is_cancelled() {
                    seen.call(client.clone()).await;
                    tokio::time::sleep(PAUSE).await;
                }
            })
        });
        Self { calling: calling.collect(), seen, end }
    }

    /// Waits until calls succeed.
    pub(super) async fn answered(&self) {
        eventually(PATIENCE, "calls succeed", async || self.seen.well.lock().unwrap().len() > CALLERS).await;
    }

    /// How many calls have ended, by how.
    pub(super) fn ended(&self) -> BTreeMap<&'static str, u64> {
        self.seen.ended.lock().unwrap().clone()
    }

    /// How many calls have begun.
    pub(super) fn begun(&self) -> u64 {
        self.seen.begun.load(Ordering::SeqCst)
    }

    /// Calls a second that succeed, over so long a time.
    pub(super) async fn rate_for(&self, time: Duration) -> f64 {
        let began = Instant::now();
        tokio::time::sleep(time).await;
        self.seen.rate(began, Instant::now())
    }

    /// How long from now until as many calls a second succeed as usual; none where they don't in time.
    pub(super) async fn recovers(&self, usual: f64, within: Duration) -> Option<Duration> {
        let began = Instant::now();
        while began.elapsed() < within {
            tokio::time::sleep(STEP).await;
            let now = Instant::now();
            if now - began >= WINDOW && self.seen.rate(now - WINDOW, now) >= usual * USUAL {
                return Some(now - began - WINDOW);
            }
        }
        None
    }

    /// Ends, and tells how long after its deadline any caller was told how its call had ended.
    pub(super) async fn end(self) -> Duration {
        self.end.cancel();
        for ended in join_all(self.calling).await {
            ended.unwrap();
        }
        *self.seen.latest.lock().unwrap()
    }
}

impl Seen {
    async fn call(&self, mut client: CatalogServiceClient<Channel>) {
        let mut request = Request::new(GetProductRequest { product_id: "tea".to_owned() });
        request.set_timeout(DEADLINE);
        self.begun.fetch_add(1, Ordering::SeqCst);
        let began = Instant::now();
        let answer = client.get_product(request).await;
        let (now, late) = (Instant::now(), began.elapsed().saturating_sub(DEADLINE));
        let mut latest = self.latest.lock().unwrap();
        *latest = late.max(*latest);
        drop(latest);
        let code = answer.as_ref().map_or_else(tonic::Status::code, |_| Code::Ok);
        *self.ended.lock().unwrap().entry(code_name(code)).or_default() += 1;
        if answer.is_ok() {
            self.well.lock().unwrap().push(now);
        }
    }

    fn rate(&self, from: Instant, until: Instant) -> f64 {
        let well = self.well.lock().unwrap();
        let within = well.iter().rev().take_while(|at| **at >= from).filter(|at| **at < until).count();
        f64::from(u32::try_from(within).unwrap()) / (until - from).as_secs_f64()
    }
}
