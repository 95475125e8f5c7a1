//! Orders that happen in another context and arrive through the broker.

use std::sync::Arc;
use std::time::Duration;

use contracts::tradewind::inventory::v1::ReservationStatus;
use contracts::tradewind::ordering::v1::{OrderCancelled, OrderShipped};
use futures::future::BoxFuture;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, BrokerOptions};
use tradewind_domain::Error;
use tradewind_events::LogSource;
use tradewind_runtime::Engine;
use tradewind_store::{Clock, LogPage, Store, StoreOptions, StreamName};
use tradewind_testing::{Database, Nats, both_stores, eventually};

use crate::warehouse::{OrderEvent, Warehouse, order, placed};

const DEADLINE: Duration = Duration::from_secs(30);

/// Ordering, as far as inventory knows it: a log, and a broker that carries it.
struct Ordering {
    store: Store,
    _database: Database,
}

impl Ordering {
    async fn open() -> Self {
        let database = Database::sqlite();
        let (url, clock) = (database.url(), Clock::system());
        let options = StoreOptions { url, context: "ordering", migrations: Vec::new(), clock, partitions: None };
        Self { store: Store::open(options).await.unwrap(), _database: database }
    }

    async fn tell(&self, order: &str, version: u64, event: impl Into<OrderEvent>) {
        let mut tx = self.store.begin().await.unwrap();
        let stream = StreamName::from(format!("order-{order}"));
        tx.append(&stream, version - 1, order, vec![event.into()]).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Asks the owner's store itself, where a service asks over the network.
pub(crate) struct Owner(pub(crate) Store);

impl LogSource for Owner {
    fn read_log(&self, _: &str, partition: u16, after: u64, limit: u32) -> BoxFuture<'_, Result<LogPage, Error>> {
        Box::pin(async move { self.0.read_log(partition, after, usize::try_from(limit).unwrap()).await })
    }
}

async fn engine(store: &Store, owner: &Ordering, nats: &Nats) -> Engine {
    let broker = BrokerOptions { url: nats.url(), tls: None, name: store.context().to_owned() };
    Engine::new(store.clone(), Broker::connect(broker).await.unwrap(), Arc::new(Owner(owner.store.clone())))
}

both_stores! {
    async fn every_order_is_answered_and_settled(database: Database) {
        let (nats, ordering, warehouse) = (Nats::start_for_services(), Ordering::open().await, Warehouse::open(&database).await);
        warehouse.receive("TEA", "hull", 20).await;
        warehouse.receive("TEA", "york", 10).await;
        let (stop, mut running) = (CancellationToken::new(), JoinSet::new());
        running.spawn(engine(&ordering.store, &ordering, &nats).await.run(stop.clone()));
        let inventory = engine(&warehouse.store, &ordering, &nats).await.reactions(inventory::reactions());
        running.spawn(inventory.run(stop.clone()));

        let orders: Vec<String> = (0..40).map(|_| order()).collect();
        for order in &orders {
            ordering.tell(order, 1, placed(order, &[("TEA", 1)])).await;
        }
        let status = async |order: &String| {
            let kept = inventory::app::get_reservation(&warehouse.store, order).await;
            kept.map(|answer| answer.reservation.unwrap().status())
        };
        eventually(DEADLINE, "the last order is answered", async || status(&orders[39]).await).await;
        for (number, order) in orders.iter().enumerate() {
            let expected = if number < 30 { ReservationStatus::Reserved } else { ReservationStatus::Rejected };
            assert_eq!(status(order).await, Ok(expected), "order {number}");
        }
        warehouse.assert_balanced().await;

        for order in &orders[..10] {
            ordering.tell(order, 2, OrderCancelled { order_id: order.clone(), ..OrderCancelled::default() }).await;
        }
        for order in &orders[10..30] {
            ordering.tell(order, 2, OrderShipped { order_id: order.clone(), ..OrderShipped::default() }).await;
        }
        eventually(DEADLINE, "nothing is reserved", async || warehouse.open_reservations().await.is_empty()).await;
        let levels = warehouse.levels().await;
        assert_eq!(levels.iter().map(|level| level.shipped).sum::<i64>(), 20);
        assert_eq!(levels.iter().map(|level| level.available).sum::<i64>(), 10);
        warehouse.assert_balanced().await;
        stop.cancel();
        while let Some(ended) = running.join_next().await {
            ended.unwrap().unwrap();
        }
    }
}
