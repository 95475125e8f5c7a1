//! A rollout under load, as a Deployment with `maxUnavailable: 0` makes it: each replica is replaced by a new one, and no call is lost.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use contracts::tradewind::inventory::v1::ListStockRequest;
use contracts::tradewind::ordering::v1::{GetOrderRequest, Order, OrderStatus, PlaceOrderRequest, WatchOrderRequest};
use futures::future::{join_all, try_join, try_join_all};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tradewind_mesh::reason;
use tradewind_testing::{Database, block_on, eventually, scratch};

use crate::deployment::{Deployment, REPLICAS};
use crate::people::Person;
use crate::process::Process;
use crate::programs::binary;
use crate::shop::Shop;
use system_tests::PATIENCE;
use system_tests::offer::Offer;

/// The services that are rolled out; of the others one runs, which the customers don't call.
const ROLLED_OUT: [&str; 2] = ["ordering", "inventory"];
/// Those with connections of their own.
const CUSTOMERS: usize = 4;
/// What each of them does at once, over the same connections.
const BASKETS: usize = 3;
/// Orders that are settled between two replacements.
const SOME: usize = 10;

#[test]
fn a_rollout_under_load_loses_no_call() {
    block_on(async {
        let mut shop = Shop::unstaffed(|_| Database::postgres()).await;
        let mut deployments = join_all(ROLLED_OUT.map(|name| Deployment::start(&shop, name))).await;
        shop.start(&["catalog", "payment", "shipping", "notification"]).await;
        let tea = shop.offer("tea", 450, 100_000).await;
        let (settled, enough) = (AtomicUsize::new(0), CancellationToken::new());
        let customers: Vec<_> = (0..CUSTOMERS).map(|_| shop.person("gateway")).collect();
        let baskets = customers.iter().flat_map(|customer| std::iter::repeat_n(customer, BASKETS));
        let shopping = try_join_all(baskets.map(|customer| shop_on(customer, &tea, &settled, &enough)));
        let rolling_out = async {
            for deployment in &mut deployments {
                for _ in 0..REPLICAS {
                    settles(&settled, SOME).await;
                    replace_busy(deployment, &shop).await;
                }
            }
            settles(&settled, SOME).await;
            enough.cancel();
            Ok(())
        };
        // The first call that is lost ends it.
        if let Err(lost) = Box::pin(try_join(shopping, rolling_out)).await {
            panic!("a call was lost: {lost:?}");
        }
        // A call that was accepted and then cut off would have left an order that nobody heard of.
        eventually(PATIENCE, "the shop has the orders that were settled, and no others", async || {
            let (listed, settled) = (shop.operator.orders().await.len(), settled.load(Ordering::Relaxed));
            if listed == settled { Ok(()) } else { Err((listed, settled)) }
        })
        .await;
        shop.prove_books().await;
        join_all(deployments.into_iter().map(Deployment::stop)).await;
        shop.close().await;
    });
}

#[test]
fn a_watch_outlives_the_replica_that_serves_it() {
    block_on(async {
        let mut shop = Shop::unstaffed(|_| Database::postgres()).await;
        let mut ordering = Deployment::start(&shop, "ordering").await;
        shop.start(&["catalog", "inventory", "payment", "shipping", "notification"]).await;
        let tea = shop.offer("tea", 450, 10).await;
        // Nothing comes of it until it is cancelled.
        let unpaid = PlaceOrderRequest { payment_token: "tok_timeout".to_owned(), ..tea.order(1) };
        let order_id = shop.operator.try_place(unpaid).await.unwrap().order_id;
        let watch = Watch::start(&shop, &order_id);
        watch.says("STOCK_CONFIRMED").await;
        for _ in 0..REPLICAS {
            ordering.replace_oldest(&shop).await;
        }
        shop.operator.cancel(&order_id).await.unwrap();
        watch.says("ORDER_STATUS_CANCELLED").await;
        watch.ends_well().await;
        ordering.stop().await;
        shop.close().await;
    });
}

/// `tradewind order watch`, and what it has printed.
struct Watch {
    program: Child,
    lines: Arc<Mutex<Vec<String>>>,
    _folder: TempDir,
}

impl Watch {
    fn start(shop: &Shop, order_id: &str) -> Self {
        let folder = scratch();
        symlink(shop.pki().path(), folder.path().join("pki")).unwrap();
        let mut program = Command::new(binary("tradewind"))
            .args(["--json", "--peers", &format!("ordering={}", shop.address("ordering"))])
            .args(["--dir".as_ref(), folder.path().as_os_str()])
            .args(["order", "watch", order_id])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, printed) = (Arc::new(Mutex::new(Vec::new())), BufReader::new(program.stdout.take().unwrap()));
        let kept = Arc::clone(&lines);
        std::thread::spawn(move || {
            printed.lines().map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line))
        });
        Self { program, lines, _folder: folder }
    }

    async fn says(&self, what: &str) {
        eventually(PATIENCE, &format!("the watch says {what}"), async || {
            let lines = self.lines.lock().unwrap();
            if lines.iter().any(|line| line.contains(what)) { Ok(()) } else { Err(lines.clone()) }
        })
        .await;
    }

    async fn ends_well(mut self) {
        let ended = eventually(PATIENCE, "the watch ends", async || self.program.try_wait().unwrap()).await;
        assert!(ended.success(), "{ended}: {:?}", self.lines.lock().unwrap());
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Waits until the oldest replica is busy, and replaces it.
async fn replace_busy(deployment: &mut Deployment, shop: &Shop) {
    let before = calls(deployment.oldest()).await;
    eventually(PATIENCE, "the oldest replica has calls", async || calls(deployment.oldest()).await > before).await;
    deployment.replace_oldest(shop).await;
}

/// How many calls of this test's own a replica has answered.
async fn calls(replica: &Process) -> u64 {
    let metrics = replica.metrics().await;
    let of_customers = metrics.lines().filter(|line| {
        line.starts_with("grpc_server_call_duration_seconds_count")
            && ["GetOrder", "ListStock"].iter().any(|name| line.contains(name))
    });
    of_customers.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// Places one order after the other and sees each settled, with every call answered.
async fn shop_on(
    customer: &Person,
    tea: &Offer,
    settled: &AtomicUsize,
    enough: &CancellationToken,
) -> Result<(), Status> {
    while !enough.is_cancelled() {
        let placed = customer.try_place(tea.order(1)).await?;
        let request = GetOrderRequest { order_id: placed.order_id.clone(), as_of: None };
        customer.ordering().get_order(request).await?;
        customer.inventory().list_stock(ListStockRequest::default()).await?;
        let order = watch(customer, &placed.order_id).await?;
        assert_eq!(order.status(), OrderStatus::Confirmed, "{order:?}");
        settled.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// The order when it is settled. A stream whose replica ends says so, and is opened again; nothing else may end it early.
async fn watch(customer: &Person, order_id: &str) -> Result<Order, Status> {
    loop {
        let request = WatchOrderRequest { order_id: order_id.to_owned() };
        let mut shown = customer.ordering().watch_order(request).await?.into_inner();
        let mut last = None;
        let ended = loop {
            match shown.message().await {
                Ok(Some(next)) => last = next.order,
                Ok(None) => break Ok(last.unwrap_or_default()),
                Err(status) => break Err(status),
            }
        };
        match ended {
            Err(status) if reason(&status).as_deref() == Some("SHUTTING_DOWN") => {}
            ended => return ended,
        }
    }
}

/// Waits until so many more orders are settled.
async fn settles(settled: &AtomicUsize, more: usize) {
    let before = settled.load(Ordering::Relaxed);
    eventually(PATIENCE, "orders are settled", async || settled.load(Ordering::Relaxed) >= before + more).await;
}
