//! A service that is told to end while it is busy: nothing accepted is lost, nothing answered is cut.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use contracts::tradewind::ordering::v1::OrderStatus;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tradewind_testing::{Database, block_on, eventually};

use crate::people::Person;
use crate::process::Process;
use crate::shop::Shop;
use system_tests::PATIENCE;
use system_tests::offer::Offer;

/// Customers who place one order after the other, each over connections of their own.
const CUSTOMERS: usize = 4;
/// Orders accepted before each stop, and after the last.
const SOME: usize = 40;
const RESTARTS: usize = 2;

#[test]
fn ordering_is_restarted_under_load_and_every_order_it_accepted_is_settled_on_sqlite() {
    block_on(restart_under_load(Database::sqlite));
}

#[test]
fn ordering_is_restarted_under_load_and_every_order_it_accepted_is_settled_on_postgres() {
    block_on(restart_under_load(Database::postgres));
}

async fn restart_under_load(database: impl Fn() -> Database) {
    let shop = Shop::open_without("ordering", database).await;
    let mut ordering = Process::start(&shop, "ordering").await;
    let tea = shop.offer("tea", 450, 100_000).await;
    let (accepted, enough) = (AtomicUsize::new(0), CancellationToken::new());
    let customers: Vec<_> = (0..CUSTOMERS).map(|_| shop.person("gateway")).collect();
    let shopping = join_all(customers.iter().map(|customer| shop_on(customer, &tea, &accepted, &enough)));
    let restarting = async {
        for _ in 0..RESTARTS {
            accepts(&accepted, SOME).await;
            // SIGTERM; it must end with exit code 0.
            ordering.stop().await;
            ordering = Process::start(&shop, "ordering").await;
        }
        accepts(&accepted, SOME).await;
        enough.cancel();
        ordering
    };
    let (acknowledged, ordering) = futures::join!(shopping, restarting);
    let acknowledged: BTreeSet<String> = acknowledged.into_iter().flatten().collect();

    for order_id in &acknowledged {
        let settled = shop.operator.settled(order_id).await;
        assert_eq!(settled.status(), OrderStatus::Confirmed, "{settled:?}");
    }
    // A request that was accepted and then cut off would have left an order that nobody heard of.
    eventually(PATIENCE, "the shop has the orders it acknowledged, and no others", async || {
        let listed: BTreeSet<String> = shop.operator.orders().await.into_iter().map(|order| order.order_id).collect();
        let differing: Vec<_> = listed.symmetric_difference(&acknowledged).cloned().collect();
        if differing.is_empty() { Ok(()) } else { Err(differing) }
    })
    .await;
    shop.prove_books().await;
    ordering.stop().await;
    shop.close().await;
}

/// Places orders as fast as they are answered, and returns those that were acknowledged.
async fn shop_on(customer: &Person, tea: &Offer, accepted: &AtomicUsize, enough: &CancellationToken) -> Vec<String> {
    let mut acknowledged = Vec::new();
    while !enough.is_cancelled() {
        match customer.try_place(tea.order(1)).await {
            Ok(order) => {
                acknowledged.push(order.order_id);
                accepted.fetch_add(1, Ordering::Relaxed);
            }
            Err(refused) => {
                assert_eq!(refused.code(), Code::Unavailable, "a request was cut: {refused:?}");
                tokio::task::yield_now().await;
            }
        }
    }
    acknowledged
}

/// Waits until so many more orders are accepted.
async fn accepts(accepted: &AtomicUsize, more: usize) {
    let before = accepted.load(Ordering::Relaxed);
    eventually(PATIENCE, "orders are accepted", async || accepted.load(Ordering::Relaxed) >= before + more).await;
}
