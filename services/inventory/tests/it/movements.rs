//! Movements add up: to the counters, at every point.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contracts::tradewind::inventory::v1::ReservationStatus;
use inventory::app;
use inventory::store::Wanted;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, BrokerOptions};
use tradewind_runtime::Engine;
use tradewind_testing::{Database, Nats, both_stores};

use crate::saga::Owner;
use crate::warehouse::{Warehouse, order};

const PATIENCE: Duration = Duration::from_secs(30);
const SKUS: [&str; 2] = ["MUG", "TEA"];
const PLACES: [&str; 3] = ["bath", "hull", "york"];
/// How often something happens in one run, and how many runs there are.
const STEPS: usize = 30;
const RUNS: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    Receive(usize, usize, i64),
    Place(Vec<(usize, i32)>),
    Cancel(usize),
    Dispatch(usize),
    Correct(usize, usize, i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (sku, place) = (0..SKUS.len(), 0..PLACES.len());
    let step = prop_oneof![
        3 => (sku.clone(), place.clone(), 1_i64..20).prop_map(|(sku, place, units)| Step::Receive(sku, place, units)),
        4 => prop::collection::vec((sku.clone(), 1_i32..8), 1..3).prop_map(Step::Place),
        2 => any::<usize>().prop_map(Step::Cancel),
        2 => any::<usize>().prop_map(Step::Dispatch),
        2 => (sku, place, -6_i64..6).prop_map(|(sku, place, units)| Step::Correct(sku, place, units)),
    ];
    prop::collection::vec(step, STEPS)
}

/// Does a step; what the rules refuse changes nothing.
async fn take(warehouse: &Warehouse, orders: &mut Vec<String>, step: Step) {
    match step {
        Step::Receive(sku, place, units) => warehouse.receive(SKUS[sku], PLACES[place], units).await,
        Step::Place(lines) => {
            let placed = order();
            let lines: Vec<_> = lines.into_iter().map(|(sku, units)| (SKUS[sku], units)).collect();
            warehouse.place(&placed, &lines).await.unwrap();
            if warehouse.reservation(&placed).await.status() == ReservationStatus::Reserved {
                orders.push(placed);
            }
        }
        Step::Cancel(which) if !orders.is_empty() => {
            let cancelled = orders.swap_remove(which % orders.len());
            warehouse.cancel(&cancelled).await.unwrap();
        }
        Step::Dispatch(which) if !orders.is_empty() => {
            let sent = orders.swap_remove(which % orders.len());
            warehouse.dispatch(&sent).await.unwrap();
        }
        Step::Correct(sku, place, units) => {
            if let Err(refused) = warehouse.correct(SKUS[sku], PLACES[place], units).await {
                assert!(["LEVEL_BELOW_RESERVED", "STOCK_NOT_FOUND"].contains(&refused.reason), "{refused}");
            }
        }
        Step::Cancel(_) | Step::Dispatch(_) => {}
    }
}

/// What is on hand and set aside by SKU and location, and which, by all that is listed.
async fn listed(warehouse: &Warehouse) -> BTreeMap<(String, String), (i64, i64)> {
    let (mut levels, mut after) = (BTreeMap::<_, (i64, i64)>::new(), None);
    loop {
        let page = app::list_stock_movements(&warehouse.store, &Wanted::default(), after, 7).await.unwrap();
        for moved in page.movements {
            let level = levels.entry((moved.sku, moved.location)).or_default();
            *level = (level.0 + moved.on_hand, level.1 + moved.reserved);
        }
        if page.next_page_token.is_empty() {
            return levels;
        }
        after = page.next_page_token.parse().ok();
    }
}

async fn counted(warehouse: &Warehouse) -> BTreeMap<(String, String), (i64, i64)> {
    let levels = warehouse.levels().await.into_iter();
    levels.map(|level| ((level.sku, level.location), (level.on_hand, level.reserved))).collect()
}

/// What keeps the movements.
async fn keep(warehouse: &Warehouse, nats: &Nats, stop: &CancellationToken) -> tokio::task::JoinHandle<()> {
    let broker = BrokerOptions { url: nats.url(), tls: None, name: "inventory".to_owned() };
    let (broker, owner) = (Broker::connect(broker).await.unwrap(), Arc::new(Owner(warehouse.store.clone())));
    let [first, _] = app::movements().reactions();
    let engine = Engine::new(warehouse.store.clone(), broker, owner).reactions(first);
    let stop = stop.clone();
    tokio::spawn(async move { engine.run(stop).await.unwrap() })
}

both_stores! {
    async fn they_are_what_the_counters_say_at_every_point(database: Database) {
        let (nats, warehouse) = (Nats::start_for_services(), Warehouse::open(&database).await);
        let mut random = TestRunner::deterministic();
        let mut orders = Vec::new();
        // Nothing is among the movements yet, and all of it is committed.
        for step in steps().new_tree(&mut random).unwrap().current() {
            take(&warehouse, &mut orders, step.clone()).await;
            assert_eq!(warehouse.audit().await, (i32::try_from(counted(&warehouse).await.len()).unwrap(), vec![]), "after {step:?}");
        }
        let stop = CancellationToken::new();
        let keeping = keep(&warehouse, &nats, &stop).await;
        for _ in 0..RUNS {
            for step in steps().new_tree(&mut random).unwrap().current() {
                take(&warehouse, &mut orders, step.clone()).await;
                assert_eq!(warehouse.audit().await.1, [], "after {step:?}");
            }
            let nothing = warehouse.store.begin().await.unwrap().commit().await.unwrap();
            let now = warehouse.store.token(&nothing).await.unwrap();
            warehouse.store.wait_for("inventory.movements", &[now], PATIENCE).await.unwrap();
            assert_eq!(listed(&warehouse).await, counted(&warehouse).await);
        }
        warehouse.assert_balanced().await;
        stop.cancel();
        keeping.await.unwrap();
    }
}
