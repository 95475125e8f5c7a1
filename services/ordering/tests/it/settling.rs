//! How orders end.

use contracts::tradewind::{
    ordering::v1::{
        CancellationReason, GetOrderHistoryRequest, GetOrderRequest, ListOrdersRequest, OrderStatus,
        get_order_request::AsOf,
    },
    shipping::v1::{ShipmentDelivered, ShipmentDispatched},
};
use tonic::Code;
use tradewind_mesh::reason;
use tradewind_testing::{Database, block_on, both_stores, eventually};

use crate::{
    participants::NOWHERE,
    shop::{DEADLINE, StandInShop, line, money, recipient},
};

both_stores! {
    async fn an_order_is_confirmed_and_everything_about_it_can_be_asked(database: Database) {
        let shop = StandInShop::open(database).await;
        let mut request = shop.request("r-1");
        request.expected_total = Some(money("GBP", 600));
        let answer = shop.orders.clone().place_order(request).await.unwrap().into_inner();
        let placed = answer.order.unwrap();
        assert!(answer.position.starts_with("ordering:"), "{}", answer.position);
        assert_eq!((placed.status(), placed.total.clone(), placed.version), (OrderStatus::Pending, Some(money("GBP", 600)), 1));
        assert_eq!(placed.lines[0].sku, "SKU-TEA");
        assert_eq!(placed.recipient, Some(recipient()));

        let list = ListOrdersRequest { after: vec![answer.position, shop.seen.clone()], ..ListOrdersRequest::default() };
        let listed = shop.orders.clone().list_orders(list).await.unwrap().into_inner().orders;
        assert_eq!(listed.iter().map(|order| &order.order_id).collect::<Vec<_>>(), [&placed.order_id]);
        assert_eq!(listed[0].create_time, placed.create_time);

        let shown = shop.watch(&placed.order_id).await;
        let confirmed = shown.last().unwrap();
        assert!(shown.is_sorted_by(|one, next| one.version < next.version), "{shown:?}");
        assert_eq!((confirmed.status(), confirmed.tracking.as_str()), (OrderStatus::Confirmed, "T-1"));
        assert_eq!(shop.get(&placed.order_id).await, *confirmed);
        assert_eq!(shop.watch(&placed.order_id).await, shown[shown.len() - 1..]);

        let as_of = |point| GetOrderRequest { order_id: placed.order_id.clone(), as_of: Some(point) };
        for point in [AsOf::Version(1), AsOf::Time(placed.create_time.unwrap())] {
            let was = shop.orders.clone().get_order(as_of(point)).await.unwrap().into_inner().order.unwrap();
            assert_eq!(was, placed);
        }
        let history = GetOrderHistoryRequest { order_id: placed.order_id.clone() };
        let entries = shop.orders.clone().get_order_history(history).await.unwrap().into_inner().entries;
        let seen: Vec<_> = entries.iter().map(|entry| (entry.version, entry.status())).collect();
        let expected = [OrderStatus::Pending, OrderStatus::StockConfirmed, OrderStatus::Paid, OrderStatus::Confirmed];
        assert_eq!(seen, (1..).zip(expected).collect::<Vec<_>>());
        assert_eq!(entries[0].r#type, "tradewind.ordering.v1.OrderPlaced");
        assert!(entries[0].causation.is_empty() && !entries[1].causation.is_empty());

        eventually(DEADLINE, "the list shows it confirmed", async || {
            let list = ListOrdersRequest { status: OrderStatus::Confirmed.into(), ..ListOrdersRequest::default() };
            shop.orders.clone().list_orders(list).await.unwrap().into_inner().orders == [confirmed.clone()]
        })
        .await;
        shop.close().await;
    }
}

#[test]
fn a_shipped_order_can_no_longer_be_cancelled() {
    block_on(async {
        let shop = StandInShop::open(Database::sqlite()).await;
        let id = shop.place(shop.request("r-1")).await.unwrap().order_id;
        shop.watch(&id).await;
        let dispatched = ShipmentDispatched { order_id: id.clone(), tracking: "T-1".to_owned() };
        shop.say("shipping", &id, dispatched).await;
        let shipped = async || shop.get(&id).await.status() == OrderStatus::Shipped;
        eventually(DEADLINE, "the order is shipped", shipped).await;
        let refused = shop.cancel(&id).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::FailedPrecondition, Some("ALREADY_SHIPPED")));
        shop.say("shipping", &id, ShipmentDelivered { order_id: id.clone() }).await;
        let delivered = async || shop.get(&id).await.status() == OrderStatus::Delivered;
        eventually(DEADLINE, "the order is delivered", delivered).await;
        shop.close().await;
    });
}

#[test]
fn what_is_refused_is_cancelled_and_everything_is_given_back() {
    block_on(async {
        let shop = StandInShop::open(Database::sqlite()).await;

        let mut scarce = shop.request("r-1");
        scarce.lines.push(line("scarce", 1));
        let mut declined = shop.request("r-2");
        declined.payment_token = "tok_declined".to_owned();
        let mut nowhere = shop.request("r-3");
        nowhere.recipient.as_mut().unwrap().address.as_mut().unwrap().postal_code = NOWHERE.to_owned();

        let refusals = [
            (scarce, CancellationReason::OutOfStock, "1 of 2 lines are short", None),
            (declined, CancellationReason::PaymentDeclined, "CARD_DECLINED", None),
            (nowhere, CancellationReason::ShipmentRejected, "UNDELIVERABLE_ADDRESS", Some(money("GBP", 600))),
        ];
        for (request, reason, detail, refunded) in refusals {
            let id = shop.place(request).await.unwrap().order_id;
            let order = shop.watch(&id).await.pop().unwrap();
            assert_eq!((order.status(), order.cancellation_reason()), (OrderStatus::Cancelled, reason));
            assert_eq!((order.cancellation_detail.as_str(), order.refunded), (detail, refunded));
            assert_eq!(order.short_lines.len(), usize::from(reason == CancellationReason::OutOfStock));
        }
        shop.close().await;
    });
}

#[test]
fn a_confirmed_order_is_cancelled_once_shipping_agrees() {
    block_on(async {
        let shop = StandInShop::open(Database::sqlite()).await;
        let id = shop.place(shop.request("r-1")).await.unwrap().order_id;
        shop.watch(&id).await;
        let asked = shop.cancel(&id).await.unwrap();
        assert!(asked.cancellation_requested || asked.status() != OrderStatus::Confirmed, "{asked:?}");
        shop.cancel(&id).await.unwrap();
        let order = shop.watch(&id).await.pop().unwrap();
        assert_eq!(order.status(), OrderStatus::Cancelled);
        assert_eq!(
            (order.cancellation_reason(), order.refunded),
            (CancellationReason::Customer, Some(money("GBP", 600)))
        );
        assert_eq!(shop.cancel(&id).await.unwrap().status(), OrderStatus::Cancelled);
        shop.close().await;
    });
}

#[test]
fn an_order_that_is_not_settled_in_time_is_cancelled() {
    block_on(async {
        let shop = StandInShop::open(Database::sqlite()).await;
        let mut request = shop.request("r-1");
        request.payment_token = "tok_timeout".to_owned();
        request.settle_within = Some(prost_types::Duration { seconds: 1, nanos: 0 });
        let placed = shop.place(request).await.unwrap();
        assert_eq!(placed.deadline.unwrap().seconds - placed.create_time.unwrap().seconds, 1);
        let order = shop.watch(&placed.order_id).await.pop().unwrap();
        assert_eq!(order.status(), OrderStatus::Cancelled);
        assert_eq!((order.cancellation_reason(), order.refunded), (CancellationReason::Deadline, None));
        shop.close().await;
    });
}

#[test]
fn an_order_is_counted_when_it_is_placed_and_when_it_ends_and_once_each() {
    block_on(async {
        let shop = StandInShop::open(Database::sqlite()).await;
        // No other test of this process has an order end like that.
        let series = r#"tradewind_orders_settled_total{outcome="cancelled",reason="payment_mismatch"}"#;
        assert_eq!(shop.counted(series).await, 0, "it can be seen before there is one");
        let before = shop.counted("tradewind_orders_placed_total").await;
        let mut request = shop.request("r-1");
        request.payment_token = "tok_mismatch".to_owned();
        let id = shop.place(request.clone()).await.unwrap().order_id;
        assert_eq!(shop.place(request).await.unwrap().order_id, id);
        let order = shop.watch(&id).await.pop().unwrap();
        assert_eq!(order.cancellation_reason(), CancellationReason::PaymentMismatch);
        let counted = async || shop.counted(series).await == 1;
        eventually(DEADLINE, "its end is counted", counted).await;
        shop.cancel(&id).await.unwrap();
        assert_eq!(shop.counted(series).await, 1);
        assert!(shop.counted("tradewind_orders_placed_total").await > before);
        shop.close().await;
    });
}

#[test]
fn what_the_broker_holds_and_who_waits_for_the_database_is_told_of() {
    block_on(async {
        let shop = StandInShop::open(Database::sqlite()).await;
        let id = shop.place(shop.request("r-1")).await.unwrap().order_id;
        shop.watch(&id).await;
        let stream = |what: &str| format!("tradewind_broker_stream_{what}{{stream=\"TW_ORDERING\"}}");
        // It is asked every 15 s.
        eventually(DEADLINE, "the stream has the order's events", async || {
            let (messages, bytes) = (shop.told(&stream("messages")).await, shop.told(&stream("bytes")).await);
            messages.is_some_and(|messages| messages > 0) && bytes.is_some_and(|bytes| bytes > 0)
        })
        .await;
        assert!(shop.told(&stream("limit_bytes")).await.is_some_and(|limit| limit > 1 << 20));
        let pool = r#"db_client_connection_pool_name="transactions""#;
        assert!(shop.counted(&format!("db_client_connection_wait_time_seconds_count{{{pool}}}")).await > 3);
        assert_eq!(shop.counted(&format!("db_client_connection_max{{{pool}}}")).await, 1, "SQLite has one writer");
        shop.close().await;
    });
}
