//! What is taken: what it says, by whom it is signed, in which order it comes, and that it comes again where somebody wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use contracts::tradewind::notification::v1::{
    DeliveryState, ListWebhookDeliveriesRequest, ReplayWebhookDeliveriesRequest, RotateWebhookSecretRequest,
    WebhookDelivery,
};
use contracts::tradewind::payment::v1::PaymentCaptured;
use contracts::tradewind::shipping::v1::ShipmentBooked;
use opentelemetry::Context;
use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::TraceContextExt as _;
use prost_types::Timestamp;
use tradewind_telemetry::parent;
use tradewind_testing::{Database, block_on, both_stores, eventually};
use uuid::Uuid;

use super::hook::{CAPTURED, CARD, CONFIRMED, NAME, PLACED, SHIPPED};
use super::receiver::{Answer, Receiver};
use crate::surroundings::{CUSTOMER, DEADLINE, Operator, Surroundings};

/// In which an event is recorded.
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

both_stores! {
    async fn an_endpoint_is_told_of_what_it_wants_signed_and_without_anything_sensitive(database: Database) {
        let surroundings = Surroundings::open(database).await;
        let operator = surroundings.start(surroundings.hooked()).await;
        let receiver = Receiver::takes().await;
        let booked = "tradewind.shipping.v1.ShipmentBooked";
        let (id, secret) = operator.hook(&receiver.url, &[PLACED, CAPTURED, booked]).await;

        let order = surroundings.placed().with_context(Context::new().with_remote_span_context(parent(TRACE))).await;
        surroundings.shipped(&order, CUSTOMER).await;
        let captured = PaymentCaptured { order_id: order.clone(), charge_id: "ch_1".to_owned(), ..Default::default() };
        surroundings.payment.say(&order, captured).await;
        let booking = ShipmentBooked { order_id: order.clone(), tracking: "TW1".to_owned(), ..Default::default() };
        surroundings.shipping.say(&order, booking).await;
        operator.settles(&id, DeliveryState::Delivered, 3).await;

        let seen = receiver.seen();
        let mut kinds: Vec<_> = seen.iter().map(|seen| seen.kind()).collect();
        kinds.sort();
        assert_eq!(kinds, ["OrderPlaced", "PaymentCaptured", "ShipmentBooked"], "and not that it was shipped");
        for seen in &seen {
            assert!(seen.is_signed_by(&secret) && seen.signatures() == 1, "{seen:?}");
            assert!(seen.head.starts_with("POST /hook HTTP/1.1"), "{seen:?}");
            let said = seen.said();
            assert_eq!((said["id"].as_str().unwrap(), said["specversion"].as_str().unwrap()), (seen.id(), "1.0"));
            let trace = (seen.kind() == "OrderPlaced").then_some(TRACE);
            assert_eq!(said["traceparent"].as_str(), trace, "where it was recorded in one");
            assert_eq!((seen.subject(), said["data"]["orderId"].as_str().unwrap()), (order.clone(), order.as_str()));
            for secret in [CARD, NAME, CUSTOMER, "Byron"] {
                assert!(!seen.head.contains(secret) && !seen.body.contains(secret), "{seen:?}");
            }
        }
        let deliveries = operator.deliveries(&id).await;
        assert!(deliveries.iter().all(|delivery| (delivery.attempts, delivery.last_status) == (1, 204)), "{deliveries:?}");
        assert!(deliveries.iter().all(|delivery| delivery.settle_time.is_some() && delivery.subject == order));
        operator.stop().await;
    }

    async fn what_is_told_of_an_order_comes_in_order_and_again_until_it_is_taken(database: Database) {
        let surroundings = Surroundings::open(database).await;
        let operator = surroundings.start(surroundings.hooked()).await;
        // Every second request is turned away.
        let receiver = Receiver::answers(|_, before| Answer::Status(if before % 2 == 0 { 500 } else { 200 })).await;
        let (id, _) = operator.hook(&receiver.url, &[PLACED, SHIPPED, CONFIRMED]).await;
        let mut orders = Vec::new();
        for _ in 0..3 {
            let order = surroundings.placed().await;
            for _ in 0..4 {
                surroundings.shipped(&order, CUSTOMER).await;
            }
            orders.push(order);
        }
        operator.settles(&id, DeliveryState::Delivered, 15).await;

        let seen = receiver.seen();
        for order in &orders {
            let mut asked: Vec<_> = seen.iter().filter(|seen| seen.subject() == *order).map(|seen| seen.id()).collect();
            asked.dedup();
            let listed = operator.deliveries(&id).await;
            let mut said: Vec<_> = listed.iter().filter(|told| told.subject == *order).map(|told| &told.event_id).collect();
            said.reverse();
            assert_eq!(asked, said, "nothing is asked before what came before it was taken");
        }
        assert!(seen.len() >= 29, "what is turned away comes again: {}", seen.len());
        operator.stop().await;
    }
}

#[test]
fn for_a_day_two_secrets_sign() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked()).await;
        let receiver = Receiver::takes().await;
        let (id, before) = operator.hook(&receiver.url, &[PLACED]).await;
        let request = RotateWebhookSecretRequest {
            endpoint_id: id.clone(),
            request_id: "rotation".to_owned(),
            ..Default::default()
        };
        let rotated = operator.webhooks().rotate_webhook_secret(request.clone()).await.unwrap().into_inner();
        let again = operator.webhooks().rotate_webhook_secret(request).await.unwrap().into_inner();
        assert!(rotated == again && rotated.secret != before && rotated.previous_until_time.is_some());
        surroundings.placed().await;
        let [seen] = receiver.sees(1).await.try_into().unwrap();
        assert!(seen.signatures() == 2 && seen.is_signed_by(&before) && seen.is_signed_by(&rotated.secret));
        operator.stop().await;
    });
}

#[test]
fn what_was_given_up_or_taken_is_told_again_under_its_id() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked().with("webhook_attempts", "2")).await;
        let receiver = Receiver::answers(|_, before| Answer::Status(if before < 4 { 500 } else { 200 })).await;
        let (id, _) = operator.hook(&receiver.url, &[PLACED]).await;
        for _ in 0..2 {
            surroundings.placed().await;
        }
        let failed = operator.settles(&id, DeliveryState::Failed, 2).await;
        assert!(failed.iter().all(|failed| (failed.attempts, failed.last_status) == (2, 500)), "{failed:?}");
        assert!(failed.iter().all(|failed| failed.last_failure == "HTTP_500"), "{failed:?}");

        let replay = async |event_id: &str, failed_since_time| {
            let request = ReplayWebhookDeliveriesRequest {
                request_id: Uuid::now_v7().to_string(),
                endpoint_id: id.clone(),
                event_id: event_id.to_owned(),
                failed_since_time,
            };
            operator.webhooks().replay_webhook_deliveries(request).await.map(|told| told.into_inner().replayed)
        };
        assert_eq!(replay("", Some(Timestamp { seconds: 1, nanos: 0 })).await.unwrap(), 2);
        operator.settles(&id, DeliveryState::Delivered, 2).await;
        let event = &failed[0].event_id;
        assert_eq!(replay(event, None).await.unwrap(), 1);
        let seen = receiver.sees(7).await;
        operator.settles(&id, DeliveryState::Delivered, 2).await;
        assert_eq!(seen.iter().filter(|seen| seen.id() == event).count(), 4);
        let bodies: std::collections::BTreeSet<_> = seen.iter().map(|seen| &seen.body).collect();
        assert_eq!(bodies.len(), 2, "it says the same each time");
        let missing = replay(&Uuid::now_v7().to_string(), None).await.unwrap_err();
        assert_eq!(tradewind_mesh::reason(&missing).as_deref(), Some("DELIVERY_NOT_FOUND"));
        operator.stop().await;
    });
}

#[test]
fn what_waits_is_told_by_whoever_comes_next() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked()).await;
        let is_back = Arc::new(AtomicBool::new(false));
        let takes = Arc::clone(&is_back);
        let receiver =
            Receiver::answers(move |_, _| Answer::Status(if takes.load(Ordering::SeqCst) { 200 } else { 500 })).await;
        let (id, _) = operator.hook(&receiver.url, &[PLACED]).await;
        surroundings.placed().await;
        let waiting = operator.settles(&id, DeliveryState::Waiting, 1).await;
        operator.stop().await;
        is_back.store(true, Ordering::SeqCst);
        let operator = surroundings.start(surroundings.hooked()).await;
        let delivered = operator.settles(&id, DeliveryState::Delivered, 1).await;
        assert_eq!(waiting[0].event_id, delivered[0].event_id);
        operator.stop().await;
    });
}

#[test]
fn what_was_recorded_before_somebody_registered_is_not_told() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked()).await;
        let receiver = Receiver::takes().await;
        let (id, _) = operator.hook(&receiver.url, &[SHIPPED, CAPTURED]).await;
        operator.stop().await;
        let order = Uuid::now_v7().to_string();
        let happens = async || {
            surroundings.shipped(&order, CUSTOMER).await;
            surroundings.payment.say(&order, PaymentCaptured { order_id: order.clone(), ..Default::default() }).await;
        };
        for _ in 0..3 {
            happens().await;
        }
        // Nobody has read that when the endpoint comes, as where a cursor is behind, or new.
        surroundings.registers_now(&id).await;
        let operator = surroundings.start(surroundings.hooked()).await;
        happens().await;
        operator.settles(&id, DeliveryState::Delivered, 2).await;
        assert_eq!((operator.deliveries(&id).await.len(), receiver.seen().len()), (2, 2));
        operator.stop().await;
    });
}

#[test]
fn replicas_tell_an_endpoint_between_them() {
    block_on(async {
        let surroundings = Surroundings::open(Database::postgres()).await;
        let receiver = Receiver::takes().await;
        let one = surroundings.start(surroundings.hooked()).await;
        let (id, secret) = one.hook(&receiver.url, &[PLACED]).await;
        let another = surroundings.start(surroundings.hooked()).await;
        let told = |orders: &[String]| receiver.seen().iter().filter(|seen| orders.contains(&seen.subject())).count();
        let tells = async |operator: &Operator| {
            let mut orders = Vec::new();
            for _ in 0..10 {
                orders.push(surroundings.placed().await);
            }
            eventually(DEADLINE, "all are delivered", async || {
                let all = operator.deliveries(&id).await;
                let is_told = |told: &&WebhookDelivery| orders.contains(&told.subject) && told.settle_time.is_some();
                if all.iter().filter(is_told).count() == orders.len() { Ok(()) } else { Err(all) }
            })
            .await;
            orders
        };
        // Where two believe that it is theirs, as until each has seen the other, an event is told twice; that passes.
        eventually(DEADLINE, "each is told of by one of them", async || {
            let orders = tells(&another).await;
            if told(&orders) == orders.len() { Ok(()) } else { Err(told(&orders)) }
        })
        .await;
        one.stop().await;
        let by_another = tells(&another).await;
        another.stop().await;
        assert_eq!(told(&by_another), by_another.len());
        assert!(receiver.seen().iter().all(|seen| seen.is_signed_by(&secret)));
    });
}

#[test]
fn a_list_has_pages() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked()).await;
        let receiver = Receiver::takes().await;
        let (id, _) = operator.hook(&receiver.url, &[PLACED]).await;
        for _ in 0..5 {
            surroundings.placed().await;
        }
        let all = operator.settles(&id, DeliveryState::Delivered, 5).await;
        let (mut paged, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListWebhookDeliveriesRequest {
                endpoint_id: id.clone(),
                page_size: 2,
                page_token,
                ..Default::default()
            };
            let page = operator.webhooks().list_webhook_deliveries(request).await.unwrap().into_inner();
            paged.extend(page.deliveries);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(paged, all);
        operator.stop().await;
    });
}
