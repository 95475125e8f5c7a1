//! Those who order while a row is played, and those who call once and count what they lose.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use contracts::tradewind::{
    catalog::v1::ListProductsRequest, inventory::v1::ListStockRequest, ordering::v1::ListOrdersRequest,
};
use tokio::time::sleep;
use tonic::Status;
use tradewind_testing::eventually;

use super::PATIENCE;
use super::visitor::Visitor;
use crate::chaos::orders::{Assortment, Settled};
use crate::chaos::proof;
use crate::chaos::replicas::keep_shopping;

/// Orders that end before something is done, and after.
const SOME: usize = 12;
/// Between two calls of one who counts.
const PAUSE: Duration = Duration::from_millis(20);

/// Everybody who ordered of a release, and what became of it.
pub(super) struct Custom {
    pub(super) visitor: Visitor,
    assortment: Assortment,
    settled: Settled,
    rounds: u64,
}

/// What came of calls that were made once each.
#[derive(Default)]
pub(super) struct Calls {
    made: usize,
    lost: BTreeMap<String, usize>,
}

impl Custom {
    pub(super) async fn begin(visitor: Visitor) -> Self {
        let assortment = Box::pin(Assortment::offer(&visitor.person())).await;
        Self { visitor, assortment, settled: Settled::default(), rounds: 0 }
    }

    /// Does something while customers order and callers call; returns what it returned, and what happened to them.
    pub(super) async fn during<T>(&mut self, act: impl Future<Output = T>) -> (T, String) {
        self.rounds += 1;
        let (ended, enough, idle) = (AtomicUsize::new(0), AtomicBool::new(false), AtomicBool::new(false));
        let visitor = &self.visitor;
        let shopping = async {
            let stop = || enough.load(Ordering::Relaxed);
            let settled = keep_shopping(|| visitor.person(), &self.assortment, self.rounds * 1000, &ended, stop).await;
            idle.store(true, Ordering::Relaxed);
            settled
        };
        let acting = async {
            more(&ended).await;
            let done = act.await;
            more(&ended).await;
            enough.store(true, Ordering::Relaxed);
            done
        };
        let calling = call(visitor, || idle.load(Ordering::Relaxed));
        let (settled, done, calls) = futures::join!(shopping, acting, calling);
        let orders = settled.count();
        self.settled.append(settled);
        (done, format!("{orders} orders settled as they must; {calls}"))
    }

    /// The ids of all orders ever.
    pub(super) fn orders(&self) -> Vec<String> {
        self.settled.ids().into_iter().collect()
    }

    /// Proves that what the shop says is what was settled, and what card provider and carrier say.
    pub(super) async fn prove(&self) {
        proof::prove_from_outside(&self.visitor.person(), &self.visitor.outside, &self.settled).await;
    }
}

/// Returns when some orders more have ended.
async fn more(ended: &AtomicUsize) {
    let before = ended.load(Ordering::Relaxed);
    eventually(PATIENCE, "orders end", async || {
        let more = ended.load(Ordering::Relaxed) - before;
        if more >= SOME { Ok(()) } else { Err(format!("{more} ended")) }
    })
    .await;
}

/// Reads from each service that is called by people, once and again, without trying anything twice.
async fn call(visitor: &Visitor, enough: impl Fn() -> bool) -> Calls {
    let person = visitor.person();
    let mut calls = Calls::default();
    while !enough() {
        let products = async { person.catalog().list_products(ListProductsRequest::default()).await.map(drop) };
        calls.count("catalog", products.await);
        let stock = async { person.inventory().list_stock(ListStockRequest::default()).await.map(drop) };
        calls.count("inventory", stock.await);
        let request = ListOrdersRequest { page_size: 1, ..ListOrdersRequest::default() };
        let orders = async { person.ordering().list_orders(request).await.map(drop) };
        calls.count("ordering", orders.await);
        sleep(PAUSE).await;
    }
    calls
}

impl Calls {
    fn count(&mut self, service: &str, answer: Result<(), Status>) {
        self.made += 1;
        if let Err(status) = answer {
            *self.lost.entry(format!("{service}: {:?} {}", status.code(), status.message())).or_default() += 1;
        }
    }
}

impl Display for Calls {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let lost: usize = self.lost.values().sum();
        write!(f, "{} calls, {lost} lost", self.made)?;
        self.lost.iter().try_for_each(|(how, times)| write!(f, "\n                 {times} × {how}"))
    }
}
