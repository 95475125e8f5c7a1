//! Readiness follows what a service depends on, and no service ends for want of it.

use contracts::tradewind::ordering::v1::OrderStatus;
use futures::future::join_all;
use serde_json::Value;
use supervisor::services;
use tradewind_testing::{Database, Postgres, eventually};

use crate::shop::{Shop, in_a_shop};
use system_tests::PATIENCE;

#[test]
fn readiness_follows_the_broker() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        shop.nats.stop();
        everybody_misses(shop, "broker").await;
        shop.nats.start_again();
        everybody_is_ready_and_works(shop).await;
    });
}

#[test]
fn readiness_follows_the_database() {
    let cluster = std::cell::RefCell::new(Postgres::start());
    in_a_shop(
        || cluster.borrow().database(),
        async |shop: &mut Shop| {
            cluster.borrow_mut().stop();
            everybody_misses(shop, "database").await;
            cluster.borrow_mut().start_again();
            everybody_is_ready_and_works(shop).await;
        },
    );
}

async fn everybody_misses(shop: &Shop, dependency: &str) {
    join_all(services::names().map(async |service| {
        eventually(PATIENCE, &format!("{service} misses its {dependency}"), async || {
            let (status, report) = get(shop, service, "/health/ready").await;
            let named = report["ready"] == false && report["checks"][dependency]["ok"] == false;
            (status == 503 && named).then_some(()).ok_or(report)
        })
        .await;
        assert_eq!(get(shop, service, "/health/live").await.0, 200, "{service} is alive");
    }))
    .await;
}

async fn everybody_is_ready_and_works(shop: &Shop) {
    join_all(services::names().map(async |service| {
        eventually(PATIENCE, &format!("{service} is ready again"), async || {
            let (status, report) = get(shop, service, "/health/ready").await;
            (status == 200 && report["ready"] == true).then_some(()).ok_or(report)
        })
        .await;
    }))
    .await;
    let tea = shop.offer("tea", 450, 1).await;
    let placed = shop.operator.place(tea.order(1)).await;
    assert_eq!(shop.operator.settled(&placed.order_id).await.status(), OrderStatus::Confirmed);
}

/// Asks the admin server of a service.
async fn get(shop: &Shop, service: &str, path: &str) -> (u16, Value) {
    let answer = crate::process::get(&format!("http://{}{path}", shop.admin_address(service))).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}
