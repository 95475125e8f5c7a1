//! The flow ledger over both databases, of events that come in any order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the verdict")]

use contracts::tradewind::analytics::v1::{
    AgeClass, Flow, FlowState, FlowTurn, ListStuckFlowsRequest, ListStuckFlowsResponse,
};
use time::{Duration, OffsetDateTime};
use tradewind_events::Received;
use tradewind_projections::{Slot, Writer};
use tradewind_store::{Clock, Metadata, Store, StoreOptions, StreamName};
use tradewind_testing::{Database, both_stores};
use uuid::Uuid;

use super::flows::follow;
use super::list_stuck_flows;
use super::measure_flows::{measure, reached};
use crate::store;
use crate::store::{Reached, Settled, Sum, Wanted, migrations, settled_since};

const PLACED: &str = "tradewind.ordering.v1.OrderPlaced";
const STOCK_CONFIRMED: &str = "tradewind.ordering.v1.OrderStockConfirmed";
const PAID: &str = "tradewind.ordering.v1.OrderPaid";
const CONFIRMED: &str = "tradewind.ordering.v1.OrderConfirmed";
const CANCELLATION_REQUESTED: &str = "tradewind.ordering.v1.OrderCancellationRequested";
const CANCELLED: &str = "tradewind.ordering.v1.OrderCancelled";
const CANCELLATION_REFUSED: &str = "tradewind.shipping.v1.ShipmentCancellationRefused";
const STOCK_RESERVED: &str = "tradewind.inventory.v1.StockReserved";
const STOCK_RELEASED: &str = "tradewind.inventory.v1.StockReleased";
const PAYMENT_CAPTURED: &str = "tradewind.payment.v1.PaymentCaptured";
const PAYMENT_REFUNDED: &str = "tradewind.payment.v1.PaymentRefunded";
const SHIPMENT_REQUESTED: &str = "tradewind.shipping.v1.ShipmentRequested";
const SHIPMENT_CANCELLED: &str = "tradewind.shipping.v1.ShipmentCancelled";

/// An event of that name about the order `o-1`, so many seconds ago, which `cause` led to.
struct Event(&'static str, i64, Option<Uuid>, Uuid);

fn event(name: &'static str, ago: i64) -> Event {
    Event(name, ago, None, Uuid::now_v7())
}

fn caused(name: &'static str, ago: i64, cause: &Event) -> Event {
    Event(name, ago, Some(cause.3), Uuid::now_v7())
}

struct Ledger {
    store: Store,
    now: OffsetDateTime,
}

impl Ledger {
    async fn open(database: &Database) -> Self {
        let store = Store::open(StoreOptions {
            url: database.url(),
            context: "analytics",
            migrations: migrations(),
            clock: Clock::system(),
            partitions: None,
        });
        let store = store.await.expect("the database opens");
        Self { now: store.now(), store }
    }

    /// Reads events in this order, those of a transaction together.
    async fn reads(&self, transactions: &[&[&Event]]) {
        for events in transactions {
            let mut tx = self.store.begin().await.unwrap();
            for (position, Event(name, ago, cause, id)) in (1..).zip(*events) {
                let received = Received {
                    data: (),
                    id: *id,
                    stream: StreamName::from("any-o-1"),
                    version: 1,
                    partition: 0,
                    position,
                    time: self.now - Duration::seconds(*ago),
                    metadata: Metadata {
                        correlation: "o-1".to_owned(),
                        causation: cause.map_or_else(String::new, |cause| cause.to_string()),
                        traceparent: String::new(),
                        partition_key: "o-1".to_owned(),
                    },
                };
                follow(&mut Writer::new(tx.rows(), Slot::First), name, &received).unwrap();
            }
            tx.commit().await.unwrap();
        }
    }

    async fn list(&self, wanted: Wanted, after: &str, size: usize) -> ListStuckFlowsResponse {
        let after = (!after.is_empty()).then(|| after.parse().unwrap());
        list_stuck_flows(&self.store, super::Asked { wanted, after, size }).await.unwrap()
    }

    /// Each flow of the order: what asks, what has answered, and whether that was late.
    async fn flows(&self) -> Vec<(String, String, bool)> {
        let wanted = Wanted { order_id: Some("o-1".to_owned()), ..Wanted::default() };
        self.list(wanted, "", 100).await.flows.iter().map(said).collect()
    }

    async fn waiting(&self) -> Vec<String> {
        let wanted = Wanted { waiting: true, ..Wanted::default() };
        let flows = self.list(wanted, "", 100).await.flows;
        flows.iter().map(|flow| said(flow).0).collect()
    }
}

fn short(name: &str) -> String {
    name.rsplit('.').next().unwrap_or_default().to_owned()
}

fn said(flow: &Flow) -> (String, String, bool) {
    let asks = flow.step.as_ref().map(|step| short(&step.event)).unwrap_or_default();
    let seconds = |time: &Option<prost_types::Timestamp>| time.map_or(i64::MAX, |time| time.seconds);
    let late = flow.settle_time.is_some() && seconds(&flow.settle_time) > seconds(&flow.due_time);
    (asks, short(&flow.settled_by), late)
}

fn is(asks: &str, settled_by: &str, late: bool) -> (String, String, bool) {
    (asks.to_owned(), settled_by.to_owned(), late)
}

both_stores! {
    async fn what_has_to_follow_waits_until_it_does(database: Database) {
        let ledger = Ledger::open(&database).await;
        let [placed, stocked, paid, confirmed] = [event(PLACED, 300), event(STOCK_CONFIRMED, 290), event(PAID, 280), event(CONFIRMED, 100)];
        ledger.reads(&[&[&placed], &[&stocked], &[&paid]]).await;
        assert_eq!(ledger.waiting().await, ["OrderPaid"]);
        ledger.reads(&[&[&confirmed]]).await;
        assert_eq!(ledger.waiting().await, Vec::<String>::new());
        let all = [
            is("OrderPlaced", "OrderStockConfirmed", false),
            is("OrderStockConfirmed", "OrderPaid", false),
            is("OrderPaid", "OrderConfirmed", true),
        ];
        assert_eq!(ledger.flows().await, all);
        // An order that is cancelled afterwards has been confirmed all the same.
        ledger.reads(&[&[&event(CANCELLED, 50)]]).await;
        assert_eq!(ledger.flows().await[..3], all);
        assert_eq!(ledger.waiting().await, ["OrderCancelled"]);
    }

    async fn what_a_cancelled_order_waited_for_is_settled_by_that(database: Database) {
        let ledger = Ledger::open(&database).await;
        ledger.reads(&[&[&event(PLACED, 300), &event(STOCK_CONFIRMED, 290)], &[&event(CANCELLED, 10)]]).await;
        assert_eq!(ledger.flows().await, [
            is("OrderPlaced", "OrderStockConfirmed", false),
            is("OrderStockConfirmed", "OrderCancelled", true),
            is("OrderCancelled", "", false),
        ]);
    }

    async fn an_answer_of_another_stream_may_come_first_and_answers_its_cause_alone(database: Database) {
        let ledger = Ledger::open(&database).await;
        let [first, second] = [40, 20].map(|ago| event(CANCELLATION_REQUESTED, ago));
        let (refused, cancelled) = (caused(CANCELLATION_REFUSED, 30, &first), caused(SHIPMENT_CANCELLED, 10, &second));
        // What was cancelled for another reason answers nobody.
        let other = caused(SHIPMENT_CANCELLED, 35, &event(CANCELLED, 36));
        ledger.reads(&[&[&other, &refused], &[&first, &second]]).await;
        assert_eq!(ledger.waiting().await, ["OrderCancellationRequested"]);
        ledger.reads(&[&[&cancelled]]).await;
        assert_eq!(ledger.flows().await, [
            is("OrderCancellationRequested", "ShipmentCancellationRefused", false),
            is("OrderCancellationRequested", "ShipmentCancelled", false),
        ]);
    }

    async fn what_is_read_twice_is_kept_once(database: Database) {
        let ledger = Ledger::open(&database).await;
        let [placed, stocked] = [event(PLACED, 300), event(STOCK_CONFIRMED, 290)];
        let request = event(CANCELLATION_REQUESTED, 40);
        let refused = caused(CANCELLATION_REFUSED, 30, &request);
        let all = [&placed, &stocked, &request, &refused];
        ledger.reads(&[&all]).await;
        let once = ledger.flows().await;
        ledger.reads(&[&all, &[&refused, &request]]).await;
        assert_eq!(ledger.flows().await, once);
        assert_eq!(ledger.waiting().await, ["OrderStockConfirmed"]);
    }

    async fn what_waits_is_found_by_whose_turn_it_is_by_age_and_page_by_page(database: Database) {
        let ledger = Ledger::open(&database).await;
        ledger.reads(&[&[&event(PAID, 4_000), &event(PLACED, 120), &event(SHIPMENT_REQUESTED, 30)]]).await;
        let all = Wanted { waiting: true, ..Wanted::default() };
        let first = ledger.list(all.clone(), "", 2).await;
        let classes: Vec<_> = first.sums.iter().map(|sum| (short(&sum.step.clone().unwrap().event), sum.age_class(), sum.count)).collect();
        let expected = [("OrderPaid", AgeClass::Day), ("OrderPlaced", AgeClass::Minutes), ("ShipmentRequested", AgeClass::Seconds)];
        assert_eq!(classes, expected.map(|(event, class)| (event.to_owned(), class, 1)));
        let second = ledger.list(all.clone(), &first.next_page_token, 2).await;
        let pages: Vec<_> = first.flows.iter().chain(&second.flows).map(|flow| said(flow).0).collect();
        assert_eq!(pages, ["OrderPaid", "OrderPlaced", "ShipmentRequested"]);
        assert!(second.next_page_token.is_empty() && second.sums.is_empty(), "{second:?}");

        let ask = |request: ListStuckFlowsRequest| crate::grpc::asked(&request).unwrap().wanted;
        let of = async |request| {
            let found = ledger.list(ask(request), "", 100).await.flows;
            found.iter().map(|flow| said(flow).0).collect::<Vec<_>>()
        };
        let shipping = ListStuckFlowsRequest { service: "shipping".to_owned(), ..Default::default() };
        assert_eq!(of(shipping.clone()).await, ["OrderPaid"]);
        let waiting = ListStuckFlowsRequest { state: FlowState::Waiting.into(), ..shipping };
        assert_eq!(of(waiting.clone()).await, ["OrderPaid", "ShipmentRequested"]);
        let min_age = Some(prost_types::Duration { seconds: 60, nanos: 0 });
        assert_eq!(of(ListStuckFlowsRequest { min_age, ..waiting }).await, ["OrderPaid"]);
        assert_eq!(of(ListStuckFlowsRequest::default()).await, ["OrderPaid", "OrderPlaced"]);
    }

    async fn what_waits_at_a_step_is_found_however_much_waits_at_others_before_it(database: Database) {
        let ledger = Ledger::open(&database).await;
        // Each asks for itself, and all of them before the last.
        let others: Vec<_> = (0..300).map(|n| event(CANCELLATION_REQUESTED, 1_000 + n)).collect();
        ledger.reads(&[&others.iter().collect::<Vec<_>>(), &[&event(PLACED, 120)]]).await;
        let at = async |step: &str, size: usize| {
            let request = ListStuckFlowsRequest { step: step.to_owned(), ..Default::default() };
            let found = ledger.list(crate::grpc::asked(&request).unwrap().wanted, "", size).await;
            let sums = found.sums.iter().map(|sum| (short(&sum.step.clone().unwrap().event), sum.count)).collect::<Vec<_>>();
            (found.flows.iter().map(|flow| said(flow).0).collect::<Vec<_>>(), sums, found.next_page_token.is_empty())
        };
        let (one, wanted) = (("OrderPlaced".to_owned(), 1), Wanted { waiting: true, ..Wanted::default() });
        assert_eq!(at(PLACED, 2).await, (vec!["OrderPlaced".to_owned()], vec![one], true));
        let (flows, sums, is_all) = at(CANCELLATION_REQUESTED, 2).await;
        assert_eq!((flows.len(), sums.iter().map(|(_, count)| count).sum::<i64>(), is_all), (2, 300, false));
        let of_all = |most| store::sums(ledger.store.reader(), Slot::First, &wanted, ledger.now, most);
        let counted = |sums: Vec<Sum>| sums.into_iter().map(|sum| (short(&sum.event), sum.count)).collect::<Vec<_>>();
        let longest = ("OrderCancellationRequested".to_owned(), 100);
        assert_eq!(counted(of_all(100).await.unwrap()), [longest], "of so many, those that have waited longest");
        assert_eq!(counted(of_all(400).await.unwrap()).iter().map(|(_, count)| count).sum::<i64>(), 301);
        for nothing in [PAID, STOCK_RESERVED, "OrderPlaced"] {
            assert_eq!(at(nothing, 2).await, (vec![], vec![], true), "{nothing}");
        }
    }

    async fn whose_turn_it_is_follows_from_who_has_done_its_part(database: Database) {
        let ledger = Ledger::open(&database).await;
        let cancelled = event(CANCELLED, 100);
        let released = caused(STOCK_RELEASED, 90, &cancelled);
        let [booked, refunded] = [SHIPMENT_CANCELLED, PAYMENT_REFUNDED].map(|name| caused(name, 80, &cancelled));
        let turns = async || {
            let found = ledger.list(Wanted { waiting: true, ..Wanted::default() }, "", 9).await;
            let names = |turns: &[FlowTurn]| turns.iter().map(|turn| turn.service.clone()).collect::<Vec<_>>();
            let cancelled = found.flows.iter().find(|flow| said(flow).0 == "OrderCancelled").unwrap();
            assert!(found.sums.iter().any(|sum| sum.turns == cancelled.turns), "{found:?}");
            names(&cancelled.turns)
        };
        // A part may be heard of before that which it is a part of.
        ledger.reads(&[&[&released], &[&cancelled]]).await;
        assert_eq!(turns().await, ["payment", "shipping"]);
        let of = async |service: &str| {
            let request = ListStuckFlowsRequest { service: service.to_owned(), ..Default::default() };
            ledger.list(crate::grpc::asked(&request).unwrap().wanted, "", 9).await.flows.len()
        };
        assert_eq!((of("inventory").await, of("shipping").await, of("ordering").await), (0, 1, 0));
        ledger.reads(&[&[&booked, &released], &[&refunded]]).await;
        assert_eq!(turns().await, ["ordering"]);
        assert_eq!((of("shipping").await, of("ordering").await), (0, 1));
    }

    async fn what_was_settled_is_counted_by_the_places_in_the_logs(database: Database) {
        let ledger = Ledger::open(&database).await;
        let [placed, stocked, paid] = [event(PLACED, 300), event(STOCK_CONFIRMED, 290), event(PAID, 100)];
        ledger.reads(&[&[&placed, &stocked, &paid], &[&caused(STOCK_RESERVED, 295, &placed), &caused(PAYMENT_CAPTURED, 200, &stocked)]]).await;
        let read = |position| Reached::from([(("ordering".to_owned(), 0), position)]);
        let since = async |from, to, age| {
            let (from, to, not_before) = (read(from), read(to), ledger.now - age);
            let rows = settled_since(ledger.store.reader(), Slot::First, &from, &to, not_before).await.unwrap();
            let row = |row: &Settled| (short(&row.event), row.done, row.late, row.parts_late, row.settled);
            let mut rows: Vec<_> = rows.iter().map(row).collect();
            rows.sort();
            rows
        };
        let settled = async |from, to| since(from, to, Duration::HOUR).await;
        let first = ("OrderPlaced".to_owned(), 1, 0, 0, 1);
        let second = ("OrderStockConfirmed".to_owned(), 2, 1, 1, 1);
        assert_eq!(settled(0, 3).await, [first.clone(), second.clone()]);
        assert_eq!((settled(0, 2).await, settled(2, 3).await), (vec![first], vec![second.clone()]));
        assert_eq!(settled(3, 3).await, []);
        // What was settled before is history.
        assert_eq!(since(0, 3, Duration::seconds(200)).await, [second]);
        let nothing = reached(&ledger.store, Slot::First).await.unwrap();
        assert_eq!(measure(&ledger.store, Some(&nothing)).await.unwrap(), nothing);
    }
}
