//! What an operator gives up: the order that waits for it is cancelled, with all that it is owed, or the act is refused.

use std::time::Duration;

use contracts::tradewind::{
    consumer::v1::{DiscardParkedEventRequest, ListParkedStreamsRequest, ParkedStream, ReplayParkedStreamRequest},
    ordering::v1::{CancellationReason, OrderStatus, PlaceOrderRequest},
};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tonic::{Code, Status};
use tradewind_mesh::reason;
use tradewind_testing::{Database, eventually};

use system_tests::PATIENCE;
use system_tests::shop::{Shop, in_a_shop};

/// Later than any test ends: nothing but the operator may settle the order.
const DEADLINE: Duration = Duration::from_secs(3600);

/// Refuses to store events of a type.
async fn refuse(shop: &Shop, service: &str, event: &str) -> DatabaseConnection {
    let database = tradewind_sql::connect(&shop.database_url(service)).await.unwrap();
    let trigger = format!(
        "PRAGMA busy_timeout = 10000; CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.type = 'tradewind.{service}.v1.{event}' \
         BEGIN SELECT RAISE(ABORT, 'refused by the test'); END"
    );
    database.execute_unprepared(&trigger).await.unwrap();
    database
}

async fn parked(shop: &Shop, service: &str) -> ParkedStream {
    eventually(PATIENCE, "the order's stream is parked", async || {
        let request = ListParkedStreamsRequest::default();
        let mut all =
            shop.operator.consumers_of(service).list_parked_streams(request).await.unwrap().into_inner().streams;
        if all.len() == 1 { Ok(all.remove(0)) } else { Err(all) }
    })
    .await
}

async fn discard(shop: &Shop, service: &str, parked: &ParkedStream) -> Result<(), Status> {
    let ParkedStream { consumer, source, stream, position, .. } = parked.clone();
    let request =
        DiscardParkedEventRequest { consumer, source, stream, position, reason: "a test".to_owned(), dry_run: false };
    shop.operator.consumers_of(service).discard_parked_event(request).await.map(drop)
}

#[test]
fn an_order_whose_step_is_given_up_is_cancelled_and_owed_nothing() {
    in_a_shop(Database::sqlite, async |shop| {
        for (service, event, why) in [
            ("inventory", "StockReserved", CancellationReason::OutOfStock),
            ("payment", "PaymentRequested", CancellationReason::PaymentDeclined),
            ("shipping", "ShipmentRequested", CancellationReason::ShipmentRejected),
        ] {
            let tea = shop.offer(&format!("tea-{service}"), 450, 2).await;
            let database = refuse(shop, service, event).await;
            let order = PlaceOrderRequest { settle_within: Some(DEADLINE.try_into().unwrap()), ..tea.order(1) };
            let placed = shop.operator.place(order).await.order_id;
            let parked = parked(shop, service).await;
            assert_eq!(parked.stream, format!("order-{placed}"));
            database.execute_unprepared("DROP TRIGGER refuse").await.unwrap();
            database.close().await.unwrap();
            discard(shop, service, &parked).await.unwrap();
            let order = shop.operator.settled(&placed).await;
            assert_eq!((order.status(), order.cancellation_reason()), (OrderStatus::Cancelled, why), "{service}");
        }
        shop.prove_books().await;
    });
}

#[test]
fn what_others_are_owed_cannot_be_given_up() {
    in_a_shop(Database::sqlite, async |shop| {
        let tea = shop.offer("tea", 450, 2).await;
        let database = refuse(shop, "inventory", "StockReleased").await;
        let order = PlaceOrderRequest { payment_token: "tok_declined".to_owned(), ..tea.order(1) };
        let placed = shop.operator.place(order).await.order_id;
        let parked = parked(shop, "inventory").await;
        let refused = discard(shop, "inventory", &parked).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::FailedPrecondition, Some("MUST_BE_REPLAYED")));
        assert_eq!(shop.operator.order(&placed).await.status(), OrderStatus::Cancelling);
        database.execute_unprepared("DROP TRIGGER refuse").await.unwrap();
        database.close().await.unwrap();
        let ParkedStream { consumer, source, stream, .. } = parked;
        let request = ReplayParkedStreamRequest { consumer, source, stream, dry_run: false };
        shop.operator.consumers_of("inventory").replay_parked_stream(request).await.unwrap();
        assert_eq!(shop.operator.settled(&placed).await.status(), OrderStatus::Cancelled);
        shop.prove_books().await;
    });
}
