//! What orders wait for, as analytics tells it of a whole shop: while somebody is away, and after it was away itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use contracts::tradewind::analytics::v1::{Flow, FlowState, ListStuckFlowsRequest};
use contracts::tradewind::consumer::v1::{
    ListProjectionsRequest, PauseConsumerRequest, RebuildProjectionRequest, ResumeConsumerRequest,
};
use contracts::tradewind::ordering::v1::{OrderStatus, PlaceOrderRequest};
use futures::future::{join, join_all};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tradewind_testing::{Database, eventually};

use crate::explain::Program;
use crate::people::Person;
use crate::shop::{Shop, in_a_shop};
use system_tests::PATIENCE;
use system_tests::offer::Offer;

/// How many orders wait for shipping at least, and for how many seconds it is away, unless `SECONDS` says so.
const WAITING: usize = 30;
const SECONDS: u64 = 1;
/// Those who place orders at the same time.
const HANDS: usize = 4;

async fn list(shop: &Shop, mut request: ListStuckFlowsRequest) -> Vec<Flow> {
    let mut flows = Vec::new();
    loop {
        let listed = eventually(PATIENCE, "analytics answers", async || {
            shop.operator.flows().list_stuck_flows(request.clone()).await
        });
        let listed = listed.await.into_inner();
        flows.extend(listed.flows);
        if listed.next_page_token.is_empty() {
            return flows;
        }
        request.page_token = listed.next_page_token;
    }
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

/// Places one order after the other.
async fn shop_on(operator: &Person, tea: &Offer, placed: &Mutex<Vec<String>>, enough: &CancellationToken) {
    while !enough.is_cancelled() {
        let settle_within = Some(prost_types::Duration { seconds: 3_600, nanos: 0 });
        let order = operator.place(PlaceOrderRequest { settle_within, ..tea.order(1) }).await;
        placed.lock().unwrap().push(order.order_id);
    }
}

/// Orders come in all the time, and shipping goes away in the midst of them.
async fn shipping_is_away_under_load(shop: &mut Shop) {
    let away = Duration::from_secs(std::env::var("SECONDS").map_or(SECONDS, |seconds| seconds.parse().unwrap()));
    let tea = shop.offer("tea", 450, 1_000_000).await;
    let (operator, placed, enough) = (shop.operator.clone(), Mutex::new(Vec::new()), CancellationToken::new());
    let grows_by = async |more: usize| {
        let there = placed.lock().unwrap().len() + more;
        let grown = async || (placed.lock().unwrap().len() >= there).then_some(()).ok_or("not yet");
        eventually(PATIENCE, "orders come in", grown).await;
    };
    let load = join_all((0..HANDS).map(|_| shop_on(&operator, &tea, &placed, &enough)));
    let story = async {
        grows_by(WAITING).await;
        shop.stop("shipping").await;
        let since = Instant::now();
        grows_by(WAITING).await;
        while since.elapsed() < away {
            grows_by(1).await;
        }
        enough.cancel();
    };
    join(load, story).await;

    let placed = placed.into_inner().unwrap();
    let mut paid = BTreeMap::new();
    for order_id in &placed {
        let order = operator.reaches(order_id, &[OrderStatus::Paid, OrderStatus::Confirmed]).await;
        if order.status() == OrderStatus::Paid {
            let events = operator.events_about("ordering", order_id).await;
            let event = events.into_iter().find(|event| short(&event.r#type) == "OrderPaid").unwrap();
            paid.insert(order_id.clone(), event.time.unwrap());
        }
    }
    assert!(paid.len() >= WAITING && paid.len() < placed.len(), "{} of {} wait", paid.len(), placed.len());
    let wanted = ListStuckFlowsRequest { state: FlowState::Waiting.into(), page_size: 50, ..Default::default() };
    eventually(PATIENCE, "exactly those wait, since they were paid", async || {
        let listed = list(shop, wanted.clone()).await;
        let of_shipping = |flow: &Flow| flow.turns.len() == 1 && flow.turns[0].service == "shipping";
        // It may have gone between asking the carrier and hearing of it: that waits beside.
        let is_known = |flow: &&Flow| of_shipping(flow) && paid.contains_key(&flow.order_id);
        let unknown = listed.iter().find(|flow| !is_known(flow)).cloned();
        let event = |flow: &Flow| short(&flow.step.clone().unwrap_or_default().event);
        let waiting = listed.into_iter().filter(|flow| event(flow) == "OrderPaid");
        let since: BTreeMap<_, _> = waiting.map(|flow| (flow.order_id, flow.since_time.unwrap())).collect();
        if unknown.is_none() && since == paid { Ok(()) } else { Err((unknown, since)) }
    })
    .await;

    let (last, since) = paid.iter().max_by_key(|(_, paid)| (paid.seconds, paid.nanos)).unwrap();
    let waited = SystemTime::now().duration_since(SystemTime::try_from(*since).unwrap()).unwrap().as_millis();
    shop.start(&["shipping"]).await;
    waits(shop, "", BTreeSet::new()).await;
    for order_id in paid.keys() {
        assert_eq!(operator.settled(order_id).await.status(), OrderStatus::Confirmed);
    }
    let told = Program::of(shop).explained(last).await;
    let offset = |name: &str| {
        let step = told["steps"].as_array().unwrap().iter().find(|step| step["event"]["name"] == name).unwrap();
        u128::from(step["offset_ms"].as_u64().unwrap())
    };
    assert!(offset("OrderConfirmed") - offset("OrderPaid") >= waited, "it was kept waiting for {waited} ms: {told:#}");
    assert_eq!(told["awaited"], serde_json::json!([]), "{told:#}");
}

#[test]
fn what_waits_for_shipping_under_load_is_exactly_what_is_listed() {
    in_a_shop(Database::postgres, shipping_is_away_under_load);
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
