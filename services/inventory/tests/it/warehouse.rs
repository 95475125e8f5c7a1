//! What the tests share: an inventory over a database, to which orders happen.

use contracts::tradewind::inventory::v1::{Allocation, Reservation, StockDifference, StockLevel};
use contracts::tradewind::ordering::v1::{OrderCancelled, OrderPlaced, OrderShipped, PricedLine};
use inventory::app::{self, ReserveOnOrderPlaced, release_on_order_cancelled, ship_on_order_shipped};
use inventory::domain::{Correction, Receipt, To, parse_level_id};
use inventory::store::{Of, level, open_reservation};
use prost::Message;
use sea_orm::{EntityTrait, IntoActiveModel};
use tradewind_domain::Error;
use tradewind_events::{Reaction, Received};
use tradewind_store::{Clock, Metadata, Store, StoreOptions, StreamName, Tx};
use tradewind_testing::Database;
use uuid::Uuid;

tradewind_domain::events! {
    /// What ordering tells inventory.
    pub(crate) enum OrderEvent { Placed(OrderPlaced), Cancelled(OrderCancelled), Shipped(OrderShipped) }
}

/// An inventory without servers: its store, and its reactions in real transactions.
#[derive(Clone)]
pub(crate) struct Warehouse {
    pub(crate) store: Store,
}

impl Warehouse {
    pub(crate) async fn open(database: &Database) -> Self {
        let store = Store::open(StoreOptions {
            url: database.url(),
            context: "inventory",
            migrations: inventory::store::migrations(),
            clock: Clock::system(),
            partitions: None,
        });
        Self { store: store.await.expect("the database opens") }
    }

    /// Books units in, without a token, which needs a sequencer on PostgreSQL.
    pub(crate) async fn receive(&self, sku: &str, location: &str, quantity: i64) {
        let receipt = Receipt { sku: sku.to_owned(), location: location.to_owned(), quantity };
        let mut tx = self.store.begin().await.unwrap();
        app::book_in(&mut tx, &receipt).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Corrects a level by so many units.
    pub(crate) async fn correct(&self, sku: &str, location: &str, change: i64) -> Result<(), Error> {
        let (sku, location, reason) = (sku.to_owned(), location.to_owned(), "counted".to_owned().into());
        let correction = Correction { sku, location, to: To::Change(change), reason };
        let mut tx = self.store.begin().await?;
        app::correct(&mut tx, &correction, "operator").await?;
        tx.commit().await.map(drop)
    }

    /// Audits every level, a few at a time: how many there are, and what was found.
    pub(crate) async fn audit(&self) -> (i32, Vec<StockDifference>) {
        let (mut levels, mut found, mut token) = (0, Vec::new(), String::new());
        loop {
            let page = app::audit_stock(&self.store, &Of::default(), parse_level_id(&token), 2).await.unwrap();
            levels += page.levels;
            found.extend(page.found);
            token = page.next_page_token;
            if token.is_empty() {
                return (levels, found);
            }
        }
    }

    /// One unit of each SKU at each of so many places.
    pub(crate) async fn scatter(&self, skus: &[String], places: usize) {
        let tx = self.store.begin().await.unwrap();
        let level = |sku: &String, place| level::Model {
            sku: sku.clone(),
            location: format!("place-{place:02}"),
            received: 1,
            shipped: 0,
            reserved: 0,
            receipts: 1,
        };
        for skus in skus.chunks(50) {
            let levels =
                skus.iter().flat_map(|sku| (0..places).map(move |place| level(sku, place).into_active_model()));
            level::Entity::insert_many(levels).exec_without_returning(tx.conn()).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// Lists reservations of so many bytes as open.
    pub(crate) async fn hold(&self, orders: &[String], bytes: usize) {
        let tx = self.store.begin().await.unwrap();
        for order_id in orders {
            let parts = vec![part(&"x".repeat(bytes), "hull", 1)];
            let held = Reservation { order_id: order_id.clone(), allocations: parts, ..Reservation::default() };
            let row = open_reservation::Model { order_id: order_id.clone(), reservation: held.encode_to_vec() };
            open_reservation::Entity::insert(row.into_active_model()).exec_without_returning(tx.conn()).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    pub(crate) async fn place(&self, order: &str, lines: &[(&str, i32)]) -> Result<(), Error> {
        self.happen(ReserveOnOrderPlaced, placed(order, lines)).await
    }

    pub(crate) async fn cancel(&self, order: &str) -> Result<(), Error> {
        let cancelled = OrderCancelled { order_id: order.to_owned(), ..OrderCancelled::default() };
        self.happen(release_on_order_cancelled, cancelled).await
    }

    pub(crate) async fn dispatch(&self, order: &str) -> Result<(), Error> {
        let shipped = OrderShipped { order_id: order.to_owned(), ..OrderShipped::default() };
        self.happen(ship_on_order_shipped, shipped).await
    }

    /// Handles one event in a transaction of its own, as a reader does with a batch of one.
    async fn happen<E: Send + Sync>(&self, reaction: impl Reaction<E>, event: E) -> Result<(), Error> {
        let event = received(event);
        self.store.transact(async |tx: &mut Tx| reaction.react(tx, &event).await).await.map(drop)
    }

    /// Handles several new orders in one transaction, which is not run again when it fails.
    pub(crate) async fn place_batch(&self, orders: &[(String, Vec<(&str, i32)>)]) -> Result<(), Error> {
        let mut tx: Tx = self.store.begin().await?;
        let events: Vec<_> = orders.iter().map(|(order, lines)| received(placed(order, lines))).collect();
        ReserveOnOrderPlaced.prepare(&mut tx, &events).await?;
        for event in &events {
            ReserveOnOrderPlaced.react(&mut tx, event).await?;
        }
        tx.commit().await.map(drop)
    }

    /// Cancels an order and handles a new one in one transaction.
    pub(crate) async fn cancel_and_place(&self, order: &str, new: &str, lines: &[(&str, i32)]) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        let new = [received(placed(new, lines))];
        ReserveOnOrderPlaced.prepare(&mut tx, &new).await?;
        let cancelled = OrderCancelled { order_id: order.to_owned(), ..OrderCancelled::default() };
        release_on_order_cancelled(&mut tx, &received(cancelled)).await?;
        ReserveOnOrderPlaced.react(&mut tx, &new[0]).await?;
        tx.commit().await.map(drop)
    }

    pub(crate) async fn reservation(&self, order: &str) -> Reservation {
        app::get_reservation(&self.store, order).await.unwrap().reservation.unwrap()
    }

    pub(crate) async fn open_reservations(&self) -> Vec<Reservation> {
        app::list_open_reservations(&self.store, "", 1000).await.unwrap().reservations
    }

    pub(crate) async fn levels(&self) -> Vec<StockLevel> {
        app::list_stock(&self.store, None, 1000).await.unwrap().levels
    }

    /// The only level of `sku`.
    pub(crate) async fn level(&self, sku: &str) -> StockLevel {
        let levels = app::get_stock(&self.store, sku).await.unwrap().levels;
        assert_eq!(levels.len(), 1, "{levels:?}");
        levels.into_iter().next().unwrap()
    }

    /// What must hold at all times: nothing is negative, and each counter of reserved units is what open reservations say.
    pub(crate) async fn assert_balanced(&self) {
        let open = self.open_reservations().await;
        for level in self.levels().await {
            assert!(level.received >= level.shipped && level.shipped >= 0 && level.available >= 0, "{level:?}");
            let held: i64 = open
                .iter()
                .flat_map(|reservation| &reservation.allocations)
                .filter(|part| part.sku == level.sku && part.location == level.location)
                .map(|part| part.quantity)
                .sum();
            assert_eq!(held, level.reserved, "open reservations hold {held} of {level:?}");
        }
    }
}

pub(crate) fn order() -> String {
    Uuid::now_v7().to_string()
}

pub(crate) fn part(sku: &str, location: &str, quantity: i64) -> Allocation {
    Allocation { sku: sku.to_owned(), location: location.to_owned(), quantity }
}

pub(crate) fn placed(order: &str, lines: &[(&str, i32)]) -> OrderPlaced {
    let line = |(sku, quantity): &(&str, i32)| PricedLine {
        product_id: sku.to_lowercase(),
        sku: (*sku).to_owned(),
        quantity: *quantity,
        ..PricedLine::default()
    };
    OrderPlaced { order_id: order.to_owned(), lines: lines.iter().map(line).collect(), ..OrderPlaced::default() }
}

fn received<E>(data: E) -> Received<E> {
    Received {
        data,
        id: Uuid::now_v7(),
        stream: StreamName::from("order-any"),
        version: 1,
        partition: 0,
        position: 1,
        time: time::OffsetDateTime::UNIX_EPOCH,
        metadata: Metadata::default(),
    }
}
