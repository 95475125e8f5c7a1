//! What others recorded before there were limits, and what a client invents, stops nobody.

use contracts::tradewind::{ordering::v1::OrderStatus, shipping::v1::ShipmentRejected};
use prost::{Message, Name};
use sea_orm::{ConnectionTrait, Statement};
use tradewind_domain::OrderId;
use tradewind_events::{Clock, Store, StoreOptions};
use tradewind_testing::{Database, block_on};

use crate::shop::Shop;

/// Records an event of five megabytes about an order that nobody placed, as a build before could.
async fn record_a_giant(shop: &Shop, context: &'static str) {
    let (url, clock) = (shop.database_url(context), Clock::system());
    let store = Store::open(StoreOptions { url, context, migrations: Vec::new(), clock, partitions: None });
    let store = store.await.unwrap();
    let order_id = OrderId::generate().to_string();
    let event = ShipmentRejected { order_id: order_id.clone(), reason: "x".repeat(5_000_000) };
    let insert = "INSERT INTO event (stream, version, id, type, payload, partition_key, partition, time, correlation, \
         causation, traceparent) VALUES ($1, 1, $2, $3, $4, $5, 0, 0, '', '', '')";
    let values = [
        format!("said-{order_id}").into(),
        vec![7_u8; 16].into(),
        ShipmentRejected::full_name().into(),
        event.encode_to_vec().into(),
        order_id.into(),
    ];
    let tx = store.begin().await.unwrap();
    tx.conn().execute_raw(Statement::from_sql_and_values(store.backend(), insert, values)).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn an_event_that_is_larger_than_any_may_be_now_stops_no_order() {
    block_on(async {
        let shop = Shop::open(Database::sqlite()).await;
        record_a_giant(&shop, "shipping").await;
        let id = shop.place(shop.request("r-1")).await.unwrap().order_id;
        assert_eq!(shop.watch(&id).await.last().unwrap().status(), OrderStatus::Confirmed);
        shop.close().await;
    });
}
