//! What orders wait for, as analytics tells it of a whole shop: while somebody is away, and after it was away itself.

use std::collections::BTreeSet;

use contracts::tradewind::analytics::v1::{Flow, FlowState, ListStuckFlowsRequest};
use contracts::tradewind::consumer::v1::{
    ListProjectionsRequest, PauseConsumerRequest, RebuildProjectionRequest, ResumeConsumerRequest,
};
use contracts::tradewind::ordering::v1::{OrderStatus, PlaceOrderRequest};
use serde_json::Value;
use tradewind_testing::{Database, eventually};

use crate::explain::Program;
use crate::shop::{Shop, in_a_shop};
use system_tests::PATIENCE;

async fn list(shop: &Shop, request: ListStuckFlowsRequest) -> Vec<Flow> {
    let listed = eventually(PATIENCE, "analytics answers", async || {
        shop.operator.flows().list_stuck_flows(request.clone()).await
    });
    listed.await.into_inner().flows
}

/// The orders that wait, each with the event that does.
async fn waiting(shop: &Shop, service: &str) -> BTreeSet<(String, String)> {
    let (state, service) = (FlowState::Waiting.into(), service.to_owned());
    let flows = list(shop, ListStuckFlowsRequest { state, service, ..Default::default() }).await;
    flows.into_iter().map(|flow| (flow.order_id, short(&flow.step.unwrap_or_default().event))).collect()
}

/// What an order has waited for, and what settled it; empty where nothing has.
async fn history(shop: &Shop, order_id: &str) -> BTreeSet<(String, String)> {
    let (state, order_id) = (FlowState::Any.into(), order_id.to_owned());
    let flows = list(shop, ListStuckFlowsRequest { state, order_id, ..Default::default() }).await;
    flows.into_iter().map(|flow| (short(&flow.step.unwrap_or_default().event), short(&flow.settled_by))).collect()
}

fn short(event: &str) -> String {
    event.rsplit('.').next().unwrap_or_default().to_owned()
}

async fn waits(shop: &Shop, service: &str, expected: BTreeSet<(String, String)>) {
    eventually(PATIENCE, &format!("{expected:?} waits"), async || {
        let waiting = waiting(shop, service).await;
        if waiting == expected { Ok(()) } else { Err(waiting) }
    })
    .await;
}

/// Waits until the order has waited for exactly this.
async fn has_waited(shop: &Shop, order_id: &str, expected: &[(&str, &str)]) {
    let expected = expected.iter().map(|(event, by)| ((*event).to_owned(), (*by).to_owned())).collect();
    eventually(PATIENCE, &format!("{expected:?} is what {order_id} has waited for"), async || {
        let history = history(shop, order_id).await;
        if history == expected { Ok(()) } else { Err(history) }
    })
    .await;
}

const CONFIRMED: [(&str, &str); 5] = [
    ("OrderPlaced", "OrderStockConfirmed"),
    ("OrderStockConfirmed", "OrderPaid"),
    ("PaymentRequested", "PaymentCaptured"),
    ("OrderPaid", "OrderConfirmed"),
    ("ShipmentRequested", "ShipmentBooked"),
];

async fn shipping_is_away(shop: &mut Shop) {
    let tradewind = Program::of(shop);
    let tea = shop.offer("tea", 450, 20).await;
    let settled = shop.operator.place(tea.order(1)).await.order_id;
    shop.operator.settled(&settled).await;
    shop.stop("shipping").await;
    let mut placed = BTreeSet::new();
    for _ in 0..3 {
        placed.insert(shop.operator.place(tea.order(1)).await.order_id);
    }
    let paid: BTreeSet<_> = placed.iter().map(|order| (order.clone(), "OrderPaid".to_owned())).collect();
    waits(shop, "shipping", paid.clone()).await;
    waits(shop, "", paid).await;

    let told = tradewind.says(&["flows", "stuck", "--all", "--json"]).await.unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    let flows = told["flows"].as_array().unwrap();
    let orders: BTreeSet<_> = flows.iter().map(|flow| flow["orderId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(orders, placed, "{told:#}");
    let turns = &flows[0]["turns"];
    assert_eq!(turns[0]["service"], "shipping", "{told:#}");
    assert_eq!(turns[0]["reaction"], "book_on_order_paid", "{told:#}");
    let held = &told["reasons"][0]["held"][0];
    assert_eq!((&held["service"], &held["command"]), (&"shipping".into(), &"tradewind status".into()), "{told:#}");
    let text = tradewind.says(&["flows", "stuck", "--all", "--service", "shipping"]).await.unwrap();
    assert!(
        text.contains("OrderPaid awaits OrderConfirmed or OrderCancelled of shipping (book_on_order_paid)"),
        "{text}"
    );
    assert!(
        placed.iter().all(|order| text.contains(order)) && text.contains("next: tradewind order explain "),
        "{text}"
    );
    let none = tradewind.says(&["flows", "stuck", "--all", "--service", "payment"]).await.unwrap();
    assert_eq!(none.trim(), "Nothing of what was asked for waits.");

    shop.start(&["shipping"]).await;
    waits(shop, "", BTreeSet::new()).await;
    for order in &placed {
        shop.operator.settled(order).await;
        has_waited(shop, order, &CONFIRMED).await;
    }
}

#[test]
fn what_waits_for_shipping_is_listed_until_shipping_is_back_on_sqlite() {
    in_a_shop(Database::sqlite, shipping_is_away);
}

#[test]
fn what_waits_for_shipping_is_listed_until_shipping_is_back_on_postgres() {
    in_a_shop(Database::postgres, shipping_is_away);
}

/// Once inventory has done its part it is ordering's turn, which does not hear of it.
#[test]
fn what_is_done_is_no_longer_the_turn_of_whoever_did_it() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let tea = shop.offer("tea", 450, 20).await;
        let (consumer, reason) = ("ordering".to_owned(), "a test".to_owned());
        let mut ordering = shop.operator.consumers_of("ordering");
        ordering.pause_consumer(PauseConsumerRequest { consumer: consumer.clone(), reason }).await.unwrap();
        // What the reader had in its hands when it was paused, it has heard.
        let mut orders = Vec::new();
        for _ in 0..3 {
            orders.push(shop.operator.place(tea.order(1)).await.order_id);
        }
        let last = (orders[2].clone(), "OrderPlaced".to_owned());
        eventually(PATIENCE, "it is ordering's turn, and nobody else's", async || {
            let [ordering, inventory] = [waiting(shop, "ordering").await, waiting(shop, "inventory").await];
            if ordering.contains(&last) && inventory.is_empty() { Ok(()) } else { Err((ordering, inventory)) }
        })
        .await;
        ordering.resume_consumer(ResumeConsumerRequest { consumer }).await.unwrap();
        for order in &orders {
            shop.operator.settled(order).await;
            has_waited(shop, order, &CONFIRMED).await;
        }
    });
}

/// Orders go on without analytics, and it knows of them what it knows of those that it saw.
#[test]
fn whoever_was_away_itself_catches_up_and_a_rebuild_says_the_same() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let tea = shop.offer("tea", 450, 20).await;
        let seen = shop.operator.place(tea.order(1)).await.order_id;
        shop.operator.settled(&seen).await;
        has_waited(shop, &seen, &CONFIRMED).await;
        shop.stop("analytics").await;
        let unseen = shop.operator.place(tea.order(1)).await.order_id;
        assert_eq!(shop.operator.settled(&unseen).await.status(), OrderStatus::Confirmed);
        let refused = PlaceOrderRequest { payment_token: "tok_declined".to_owned(), ..tea.order(1) };
        let declined = shop.operator.place(refused).await.order_id;
        assert_eq!(shop.operator.settled(&declined).await.status(), OrderStatus::Cancelled);
        shop.operator.cancel(&seen).await.unwrap();
        shop.operator.reaches(&seen, &[OrderStatus::Cancelled]).await;

        shop.start(&["analytics"]).await;
        let cancelled = [
            ("OrderCancellationRequested", "ShipmentCancelled"),
            ("ShipmentCancellationRequested", "ShipmentCancelled"),
            ("OrderCancelled", "OrderClosed"),
            ("PaymentRefundRequested", "PaymentRefunded"),
        ];
        let cancelled = [&CONFIRMED[..], &cancelled].concat();
        has_waited(shop, &unseen, &CONFIRMED).await;
        has_waited(shop, &seen, &cancelled).await;
        let refused = [
            ("OrderPlaced", "OrderStockConfirmed"),
            ("OrderStockConfirmed", "OrderCancelled"),
            ("PaymentRequested", "PaymentDeclined"),
            ("OrderCancelled", "OrderClosed"),
        ];
        has_waited(shop, &declined, &refused).await;
        waits(shop, "", BTreeSet::new()).await;

        let (projection, reason) = ("analytics.flows".to_owned(), "a test".to_owned());
        let mut analytics = shop.operator.consumers_of("analytics");
        analytics.rebuild_projection(RebuildProjectionRequest { projection, reason }).await.unwrap();
        eventually(PATIENCE, "what was built is read", async || {
            let listed = shop.operator.consumers_of("analytics").list_projections(ListProjectionsRequest {}).await;
            let listed = listed.map_err(|error| error.to_string())?.into_inner().projections;
            let is_built = listed[0].start_time.is_some() && listed[0].build.is_none() && listed[0].ask_time.is_none();
            if is_built { Ok(()) } else { Err(format!("{listed:?}")) }
        })
        .await;
        has_waited(shop, &seen, &cancelled).await;
        has_waited(shop, &unseen, &CONFIRMED).await;
        has_waited(shop, &declined, &refused).await;
    });
}
