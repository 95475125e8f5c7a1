//! Goods received: once a request, counted without overflow, listed in pages.

use contracts::tradewind::inventory::v1::{ReceiveStockRequest, StockReceived};
use inventory::app;
use inventory::domain::Receipt;
use inventory::store::level;
use prost::Message;
use sea_orm::{ActiveValue::Set, EntityTrait};
use tradewind_domain::{ErrorKind, request::RequestKey};
use tradewind_store::StreamName;
use tradewind_testing::{Database, both_stores};

use crate::warehouse::{Warehouse, part};

fn request(quantity: i64) -> ReceiveStockRequest {
    ReceiveStockRequest {
        request_id: "delivery-1".to_owned(),
        sku: "TEA".to_owned(),
        location: "hull".to_owned(),
        quantity,
    }
}

fn key(request: &ReceiveStockRequest) -> Option<RequestKey> {
    RequestKey::new("operator", "ReceiveStock", &request.request_id, request, request).unwrap()
}

both_stores! {
    async fn each_receipt_is_an_event_of_its_level(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("A@1", "hull", 2).await;
        warehouse.receive("A@1", "hull", 3).await;
        warehouse.receive("A@1", "york", 4).await;

        let history = warehouse.store.history(&StreamName::from("stock-A@1@hull")).await.unwrap();
        let received: Vec<_> =
            history.iter().map(|event| StockReceived::decode(event.payload.as_slice()).unwrap().received.unwrap()).collect();
        assert_eq!(received, [part("A@1", "hull", 2), part("A@1", "hull", 3)]);
        let levels = app::get_stock(&warehouse.store, "A@1").await.unwrap().levels;
        let shown: Vec<_> = levels.iter().map(|level| (level.location.as_str(), level.on_hand)).collect();
        assert_eq!(shown, [("hull", 5), ("york", 4)]);
        assert_eq!(app::get_stock(&warehouse.store, "CUP").await.unwrap_err().reason, "STOCK_NOT_FOUND");
    }

    async fn a_level_that_would_overflow_stays_as_it_is(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 1).await;
        let tx = warehouse.store.begin().await.unwrap();
        let full = level::ActiveModel { received: Set(i64::MAX - 9), ..level::ActiveModel::default() };
        level::Entity::update_many().set(full).exec(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();

        let receipt = |quantity| Receipt { sku: "TEA".to_owned(), location: "hull".to_owned(), quantity };
        let mut tx = warehouse.store.begin().await.unwrap();
        let error = app::book_in(&mut tx, &receipt(10)).await.unwrap_err();
        assert_eq!((error.kind, error.reason), (ErrorKind::Rejected, "LEVEL_OUT_OF_RANGE"));
        drop(tx);
        warehouse.receive("TEA", "hull", 9).await;
        assert_eq!(warehouse.level("TEA").await.on_hand, i64::MAX);
        warehouse.place(&crate::warehouse::order(), &[("TEA", i32::MAX)]).await.unwrap();
        warehouse.assert_balanced().await;
    }

    async fn levels_come_in_pages(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        for (sku, location) in [("b", "x"), ("a", "y"), ("a", "x"), ("B", "z"), ("a-", "a")] {
            warehouse.receive(sku, location, 1).await;
        }
        let first = app::list_stock(&warehouse.store, None, 3).await.unwrap();
        let rest = app::list_stock(&warehouse.store, Some(("a", "y")), 3).await.unwrap();
        let names = |levels: &[contracts::tradewind::inventory::v1::StockLevel]| {
            levels.iter().map(|level| format!("{}@{}", level.sku, level.location)).collect::<Vec<_>>()
        };
        assert_eq!((names(&first.levels), first.next_page_token.as_str()), (vec!["B@z".to_owned(), "a@x".into(), "a@y".into()], "a@y"));
        assert_eq!((names(&rest.levels), rest.next_page_token.as_str()), (vec!["a-@a".to_owned(), "b@x".into()], ""));
    }
}

/// On SQLite, where the token of a write needs no sequencer.
#[test]
fn a_repeated_request_books_in_once() {
    tradewind_testing::block_on(async {
        let database = Database::sqlite();
        let warehouse = Warehouse::open(&database).await;
        let receive = async |request: ReceiveStockRequest| {
            let key = key(&request);
            let ReceiveStockRequest { sku, location, quantity, .. } = request;
            app::receive_stock(&warehouse.store, key.as_ref(), &Receipt { sku, location, quantity }).await
        };
        let first = receive(request(5)).await.unwrap();
        let again = receive(request(5)).await.unwrap();

        assert!(first.position.starts_with("inventory:") && first.position.ends_with(":0:1"), "{}", first.position);
        assert_eq!(again.level, first.level);
        assert_eq!(warehouse.level("TEA").await.received, 5);
        assert_eq!(receive(request(6)).await.unwrap_err().reason, "REQUEST_ID_REUSED");
    });
}
