//! The list of orders is built anew while orders come in and are listed, and whoever builds it is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use contracts::tradewind::consumer::v1::{ListProjectionsRequest, Projection, RebuildProjectionRequest};
use contracts::tradewind::ordering::v1::ListOrdersRequest;
use futures::future::{join_all, try_join, try_join_all};
use ordering::domain::{Command, Line, Order, Place};
use prost_types::Timestamp;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tradewind_domain::{Money, OrderId};
use tradewind_store::{Clock, Store, StoreOptions};
use tradewind_testing::{Database, block_on, eventually};
use uuid::Uuid;

use crate::deployment::{Deployment, REPLICAS};
use crate::people::Person;
use crate::process::Process;
use crate::shop::Shop;
use system_tests::PATIENCE;
use system_tests::offer::Offer;

const LIST: &str = "ordering.orders";
/// The consumer of the slot that is built first.
const SECOND: &str = "ordering.orders-2";
/// How many orders there are before, unless `ORDERS` says so.
const ORDERS: usize = 1_000;
/// Those that are written in one transaction.
const AT_ONCE: usize = 64;
/// Those who place orders and list their own meanwhile.
const CUSTOMERS: usize = 3;

#[test]
fn a_list_that_is_built_anew_under_load_fails_nobody_and_goes_on_where_its_builder_died() {
    let placed = std::env::var("ORDERS").map_or(ORDERS, |orders| orders.parse().unwrap());
    block_on(async {
        let mut shop = Shop::unstaffed(|_| Database::postgres()).await;
        fill(&shop.database_url("ordering"), placed).await;
        // Whoever has the turn dies after its second batch. So may the other, when it has gone on so far.
        let replicas = join_all((0..REPLICAS).map(|_| Process::dying(&shop, "ordering", SECOND, 2))).await;
        let mut ordering = Deployment::of(&shop, "ordering", replicas).await;
        // Nobody answers the orders, and so each is one event.
        shop.start(&["catalog"]).await;
        let tea = shop.offer("tea", 450, 0).await;
        // So many are seen in so many times that.
        let patience = PATIENCE * u32::try_from(1 + placed / ORDERS).unwrap();
        eventually(patience, "the list has seen them", async || {
            let list = list(&shop).await;
            (list.events == list.total_events.unwrap() && list.events >= placed as u64).then_some(()).ok_or(list)
        })
        .await;

        let (asked, enough) = (AtomicUsize::new(0), CancellationToken::new());
        let customers: Vec<_> = (0..CUSTOMERS).map(|_| shop.person("gateway")).collect();
        let shopping = try_join_all(customers.iter().map(|customer| shop_on(customer, &tea, &asked, &enough)));
        let rebuilding = async {
            let request = RebuildProjectionRequest { projection: LIST.to_owned(), reason: "it is tried".to_owned() };
            shop.operator.consumers_of("ordering").rebuild_projection(request).await.unwrap();
            eventually(PATIENCE, "its builder dies", async || ordering.replace_dead(&shop).await).await;
            let left = list(&shop).await.build.expect("it is half built");
            assert!(left.events > 0 && left.failure.is_empty(), "{left:?}");
            let read = eventually(patience, "what was built is read", async || {
                ordering.replace_dead(&shop).await;
                let list = list(&shop).await;
                match &list.build {
                    // It is the same build, and nothing is read again.
                    Some(build) => {
                        assert!(build.start_time == left.start_time && build.events >= left.events, "{list:?}");
                        Err(list)
                    }
                    None => Ok(list),
                }
            })
            .await;
            assert_eq!(read.consumer, SECOND);
            let more = asked.load(Ordering::Relaxed) + CUSTOMERS;
            eventually(PATIENCE, "it is asked", async || asked.load(Ordering::Relaxed) > more).await;
            enough.cancel();
            Ok(())
        };
        // The first query that fails, or forgets an order, ends it.
        if let Err(lost) = Box::pin(try_join(shopping, rebuilding)).await {
            panic!("a query failed: {lost:?}");
        }
        let (listed, there) = (shop.operator.orders().await, placed + asked.load(Ordering::Relaxed));
        let ids: BTreeSet<_> = listed.iter().map(|order| &order.order_id).collect();
        assert_eq!((listed.len(), ids.len()), (there, there));
        // One that was to die may have done so since, when it read a batch.
        drop(ordering);
        shop.close().await;
    });
}

async fn list(shop: &Shop) -> Projection {
    let projections = eventually(PATIENCE, "projections are listed", async || {
        shop.operator.consumers_of("ordering").list_projections(ListProjectionsRequest {}).await
    });
    let projections = projections.await.into_inner().projections;
    projections.into_iter().find(|projection| projection.projection == LIST).unwrap()
}

/// Has so many orders in the database, as their service writes them.
async fn fill(url: &str, orders: usize) {
    let (url, migrations) = (url.to_owned(), ordering::migrations());
    let options = StoreOptions { url, context: "ordering", migrations, clock: Clock::system(), partitions: None };
    let store = Store::open(options).await.unwrap();
    let stop = CancellationToken::new();
    let (sequencing, end) = (store.clone(), stop.clone());
    let sequencing = tokio::spawn(async move { sequencing.sequence(end).await });
    let ids: Vec<_> = (0..orders).map(|_| OrderId::generate().to_string()).collect();
    for some in ids.chunks(AT_ONCE) {
        let mut tx = store.begin().await.unwrap();
        for id in some {
            tx.execute::<Order>(id, Command::Place(Box::new(order(id)))).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    // It is told once all have their places in the log.
    store.token(&store.begin().await.unwrap().commit().await.unwrap()).await.unwrap();
    stop.cancel();
    sequencing.await.unwrap().unwrap();
}

fn order(id: &str) -> Place {
    let asked = Offer::of("tea").order(1);
    Place {
        order_id: id.to_owned(),
        customer_id: asked.customer_id,
        recipient: asked.recipient.unwrap(),
        lines: vec![Line {
            product_id: "tea".to_owned(),
            name: "Tea".to_owned(),
            sku: "TEA".to_owned(),
            quantity: 1,
            unit_price: Money::new("GBP", 450).unwrap(),
        }],
        deadline: Timestamp { seconds: 4_000_000_000, nanos: 0 },
        ..Place::default()
    }
}

/// Places one order after the other, and finds all of them listed each time: whichever slot is read by then, it has seen the last of each
/// partition.
async fn shop_on(
    customer: &Person,
    tea: &Offer,
    asked: &AtomicUsize,
    enough: &CancellationToken,
) -> Result<(), Status> {
    let customer_id = Uuid::new_v4().to_string();
    let (mut mine, mut last) = (0, BTreeMap::new());
    while !enough.is_cancelled() {
        let mut order = tea.order(1);
        order.customer_id.clone_from(&customer_id);
        order.request_id = Uuid::new_v4().to_string();
        let placed = customer.ordering().place_order(order).await?.into_inner();
        mine += 1;
        let (partition, _) = placed.position.rsplit_once(':').unwrap();
        last.insert(partition.to_owned(), placed.position.clone());
        let request = ListOrdersRequest {
            customer_id: customer_id.clone(),
            page_size: 1000,
            after: last.values().cloned().collect(),
            ..ListOrdersRequest::default()
        };
        let listed = customer.ordering().list_orders(request).await?.into_inner().orders;
        assert_eq!(listed.len(), mine.min(1000), "an order is missing");
        asked.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
