//! What a customer sees who comes through the gateway: their own orders, and no others.

use contracts::tradewind::ordering::v1::{
    CancelOrderRequest, GetOrderRequest, ListOrdersRequest, OrderStatus, PlaceOrderRequest, WatchOrderRequest,
    ordering_service_client::OrderingServiceClient,
};
use tonic::{Code, Status};
use tradewind_domain::OrderId;
use tradewind_mesh::{Channel, reason};
use tradewind_testing::{Database, both_stores};

use crate::shop::StandInShop;

/// All that is said in a refusal, with `ID` for the order that was asked for.
fn all(refused: &Status, order_id: &str) -> (Code, String, String) {
    let details = refused.details().escape_ascii().to_string();
    (refused.code(), refused.message().replace(order_id, "ID"), details.replace(order_id, "ID"))
}

fn why(refused: &Status) -> (Code, Option<String>) {
    (refused.code(), reason(refused))
}

/// How each question about one order is refused.
async fn questions(orders: &OrderingServiceClient<Channel>, order_id: &str) -> Vec<(Code, String, String)> {
    let asked = order_id;
    let order_id = || asked.to_owned();
    let mut orders = orders.clone();
    let now = orders.get_order(GetOrderRequest { order_id: order_id(), as_of: None }).await.unwrap_err();
    let cancelled = orders.cancel_order(CancelOrderRequest { order_id: order_id() }).await.unwrap_err();
    let watched = orders.watch_order(WatchOrderRequest { order_id: order_id() }).await.unwrap_err();
    [now, cancelled, watched].iter().map(|refused| all(refused, asked)).collect()
}

both_stores! {
    async fn an_order_of_another_customer_is_not_there(database: Database) {
        let shop = StandInShop::open(database).await;
        let (mut ada, mut bob) = (shop.seen_by("ada"), shop.seen_by("bob"));
        // Both name their request the same, and neither says who they are.
        let request = PlaceOrderRequest { customer_id: String::new(), ..shop.request("r-1") };
        let placed = ada.place_order(request.clone()).await.unwrap().into_inner();
        let (adas, position) = (placed.order.unwrap(), placed.position);
        let bobs = bob.place_order(request.clone()).await.unwrap().into_inner().order.unwrap();
        assert_eq!((adas.customer_id.as_str(), bobs.customer_id.as_str()), ("ada", "bob"));
        assert_ne!(adas.order_id, bobs.order_id);
        let again = ada.place_order(request.clone()).await.unwrap().into_inner().order.unwrap();
        assert_eq!(again.order_id, adas.order_id, "a repetition is still one");

        let none = OrderId::generate().to_string();
        let of_none = questions(&ada, &none).await;
        assert_eq!(questions(&ada, &bobs.order_id).await, of_none);
        assert!(of_none.iter().all(|(code, ..)| *code == Code::NotFound), "{of_none:?}");
        assert_eq!(questions(&shop.orders, &none).await, of_none, "as whoever may see all hears it");
        assert_eq!(questions(&ada, "no id").await, questions(&shop.orders, "no id").await);

        for other in ["bob", "nobody"] {
            let denied = (Code::PermissionDenied, Some("OTHER_CUSTOMER".to_owned()));
            let listed = ListOrdersRequest { customer_id: other.to_owned(), ..ListOrdersRequest::default() };
            assert_eq!(why(&ada.list_orders(listed).await.unwrap_err()), denied);
            let placed = PlaceOrderRequest { customer_id: other.to_owned(), ..shop.request("r-2") };
            assert_eq!(why(&ada.place_order(placed).await.unwrap_err()), denied);
        }
        let list = ListOrdersRequest { after: vec![position], ..ListOrdersRequest::default() };
        let mine = ada.list_orders(list).await.unwrap().into_inner().orders;
        assert_eq!(mine.iter().map(|order| &order.order_id).collect::<Vec<_>>(), [&adas.order_id]);

        let asked = GetOrderRequest { order_id: adas.order_id.clone(), as_of: None };
        assert_eq!(ada.get_order(asked).await.unwrap().into_inner().order.unwrap().customer_id, "ada");
        let watched = WatchOrderRequest { order_id: adas.order_id.clone() };
        let first = ada.watch_order(watched).await.unwrap().into_inner().message().await.unwrap();
        assert_eq!(first.unwrap().order.unwrap().order_id, adas.order_id);
        ada.cancel_order(CancelOrderRequest { order_id: adas.order_id.clone() }).await.unwrap();
        let settled = shop.watch(&bobs.order_id).await.pop().unwrap();
        assert_eq!(settled.status(), OrderStatus::Confirmed, "nobody has cancelled it");
        shop.close().await;
    }
}
