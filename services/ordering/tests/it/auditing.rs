//! The audit trail of an order: what happened, who asked for it, what led to it, and nothing that is sensitive.

use contracts::tradewind::ordering::v1::{
    ListOrderEventsRequest, OrderStatus, PlaceOrderRequest, RecordedOrderEvent, recorded_order_event::Event,
};
use prost::Message;
use tonic::{Code, Status};
use tradewind_domain::OrderId;
use tradewind_mesh::reason;
use tradewind_testing::{Database, both_stores, eventually};

use crate::shop::{DEADLINE, StandInShop};

fn page(order_id: &str, page_size: i32, page_token: &str) -> ListOrderEventsRequest {
    ListOrderEventsRequest { order_id: order_id.to_owned(), page_size, page_token: page_token.to_owned() }
}

async fn all(shop: &StandInShop, order_id: &str) -> Vec<RecordedOrderEvent> {
    shop.orders.clone().list_order_events(page(order_id, 0, "")).await.unwrap().into_inner().events
}

fn what(refused: &Status) -> (Code, Option<String>) {
    (refused.code(), reason(refused))
}

both_stores! {
    async fn each_event_tells_who_asked_for_it_and_what_led_to_it(database: Database) {
        let shop = StandInShop::open(database).await;
        let request = PlaceOrderRequest { customer_id: String::new(), ..shop.request("r-1") };
        let placed = shop.seen_by("ada").place_order(request).await.unwrap().into_inner().order.unwrap();
        let id = placed.order_id.clone();
        assert_eq!(shop.watch(&id).await.pop().unwrap().status(), OrderStatus::Confirmed);
        eventually(DEADLINE, "all are in the log", async || all(&shop, &id).await.iter().all(|event| event.position > 0)).await;

        let events = all(&shop, &id).await;
        let names: Vec<_> = events.iter().map(|event| event.r#type.rsplit('.').next().unwrap()).collect();
        assert_eq!(names, ["OrderPlaced", "OrderStockConfirmed", "OrderPaid", "OrderConfirmed"]);
        assert_eq!(events.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert!(events.is_sorted_by_key(|event| event.position) && events.iter().all(|event| event.correlation == id));

        let [first, answers @ ..] = events.as_slice() else { panic!("nothing happened") };
        let who = (first.workload.as_str(), first.user_id.as_str(), first.request_id.as_str(), first.causation.as_str());
        assert_eq!(who, ("gateway", "ada", "r-1", ""));
        assert_eq!((first.trace_id.len(), first.time), (32, placed.create_time));
        let Some(Event::Placed(said)) = &first.event else { panic!("{first:?}") };
        assert_eq!((&said.lines, &said.total), (&placed.lines, &placed.total));
        assert_eq!(said.lines[0].name, "tea");
        for answer in answers {
            assert!(answer.workload.is_empty() && answer.user_id.is_empty() && answer.request_id.is_empty(), "{answer:?}");
            assert!(!answer.causation.is_empty() && answer.event.is_some(), "{answer:?}");
        }
        let bytes: Vec<u8> = events.iter().flat_map(Message::encode_to_vec).collect();
        let bytes = String::from_utf8_lossy(&bytes);
        for secret in ["tok_ok", "Ada", "ada@example.org", "1 Quay", "Leith", "EH6"] {
            assert!(!bytes.contains(secret), "{secret} is shown");
        }
        // Who works for the shop itself is told too.
        let refused = shop.cancel(&id).await.unwrap();
        assert_eq!(refused.order_id, id);
        let asked = all(&shop, &id).await.swap_remove(4);
        let expected = ("operator", "", "tradewind.ordering.v1.OrderCancellationRequested");
        assert_eq!((asked.workload.as_str(), asked.user_id.as_str(), asked.r#type.as_str()), expected);
        shop.close().await;
    }

    async fn a_trail_has_pages_and_is_for_staff(database: Database) {
        let shop = StandInShop::open(database).await;
        let [one, other] = [shop.place(shop.request("r-1")).await.unwrap(), shop.place(shop.request("r-2")).await.unwrap()];
        for order in [&one, &other] {
            shop.watch(&order.order_id).await;
        }
        let mut orders = shop.orders.clone();
        let (mut versions, mut token) = (Vec::new(), String::new());
        loop {
            let found = orders.list_order_events(page(&one.order_id, 3, &token)).await.unwrap().into_inner();
            versions.push(found.events.iter().map(|event| event.version).collect::<Vec<_>>());
            if found.next_page_token.is_empty() {
                break;
            }
            token = found.next_page_token;
        }
        assert_eq!(versions, [vec![1, 2, 3], vec![4]]);
        let invalid = |reason: &str| (Code::InvalidArgument, Some(reason.to_owned()));
        for (request, expected) in [
            (page(&other.order_id, 3, &token), invalid("PAGE_TOKEN_MISMATCH")),
            (page(&one.order_id, 3, "2"), invalid("INVALID_PAGE_TOKEN")),
            (page(&one.order_id, -1, ""), invalid("PAGE_SIZE_OUT_OF_RANGE")),
            (page("7", 0, ""), invalid("INVALID_ORDER_ID")),
            (page(&OrderId::generate().to_string(), 0, ""), (Code::NotFound, Some("ORDER_NOT_FOUND".to_owned()))),
        ] {
            assert_eq!(what(&orders.list_order_events(request).await.unwrap_err()), expected);
        }
        let refused = shop.seen_by("c-1").list_order_events(page(&one.order_id, 0, "")).await.unwrap_err();
        assert_eq!(what(&refused), (Code::PermissionDenied, Some("ROLE_MISSING".to_owned())));
        shop.close().await;
    }
}
