//! Counters against movements: what was tampered with is found, once, and nothing else ever is.

use contracts::tradewind::consumer::v1::{
    ListProjectionsRequest, PauseConsumerRequest, RebuildProjectionRequest, ResumeConsumerRequest,
};
use contracts::tradewind::inventory::v1::{
    CorrectStockRequest, ListStockDifferencesRequest, ListStockMovementsRequest, ReservationStatus,
    ResolveStockDifferenceRequest, StockCount, StockDifference, StockDifferenceState as State,
    StockMovementKind as Kind, StockResolution as Resolution, correct_stock_request::To,
};
use inventory::store::level::ActiveModel;
use sea_orm::ActiveValue::Set;
use tonic::{Code, Status};
use tradewind_mesh::reason;
use tradewind_testing::{Database, block_on, both_stores, eventually};
use uuid::Uuid;

use crate::around::{Around, DEADLINE};

async fn differences(around: &Around, state: State) -> Vec<StockDifference> {
    let request = ListStockDifferencesRequest { state: state.into(), ..Default::default() };
    around.movements().list_stock_differences(request).await.unwrap().into_inner().differences
}

async fn resolve(around: &Around, id: &str, correct_counters: bool) -> Result<StockDifference, Status> {
    let (request_id, note) = (Uuid::now_v7().to_string(), "somebody was at the database".to_owned());
    let request = ResolveStockDifferenceRequest { request_id, difference_id: id.to_owned(), note, correct_counters };
    Ok(around.movements().resolve_stock_difference(request).await?.into_inner().difference.unwrap())
}

fn refused<T>(answer: Result<T, Status>) -> (Code, Option<String>) {
    answer.map(drop).map_err(|status| (status.code(), reason(&status))).unwrap_err()
}

fn count(received: i64, shipped: i64, reserved: i64) -> StockCount {
    StockCount { received, shipped, reserved }
}

/// Where something differs, and by what the two sides count it.
fn places(found: &[StockDifference]) -> Vec<(&str, StockCount, StockCount)> {
    let mut places = Vec::new();
    for StockDifference { location, counters, balance, .. } in found {
        places.push((location.as_str(), counters.unwrap(), balance.unwrap()));
    }
    places.sort_by_key(|(location, ..)| *location);
    places
}

async fn shows(around: &Around, many: u64) {
    eventually(DEADLINE, "the open differences are counted", async || {
        let text = around.metrics().await;
        let line = text.lines().find(|line| line.starts_with("tradewind_stock_differences_open"));
        let shown = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
        if shown == Some(many) { Ok(()) } else { Err(text) }
    })
    .await;
}

both_stores! {
    async fn what_was_tampered_with_is_found_once_and_settled(database: Database) {
        let around = Around::open(database).await;
        for place in ["bath", "hull", "lost", "york"] {
            around.receive("TEA", place, 5).await;
        }
        let order = around.place(&[("TEA", 3)]).await;
        around.becomes(&order, ReservationStatus::Reserved).await;
        let before = around.levels("TEA").await;
        let whole = around.audit().await.unwrap();
        assert_eq!((whole.levels, whole.found, whole.settled), (4, vec![], 0));

        around.tamper("TEA", "hull", ActiveModel { received: Set(7), ..Default::default() }).await;
        around.tamper("TEA", "york", ActiveModel { received: Set(6), shipped: Set(1), ..Default::default() }).await;
        around.lose("TEA", "lost").await;
        let found = around.audit().await.unwrap().found;
        let expected = [
            ("hull", count(7, 0, 0), count(5, 0, 0)),
            ("lost", count(0, 0, 0), count(5, 0, 0)),
            ("york", count(6, 1, 0), count(5, 0, 0)),
        ];
        assert_eq!(places(&found), expected);
        shows(&around, 3).await;

        // Orders move both sides alike.
        around.dispatch(&order).await;
        around.becomes(&order, ReservationStatus::Shipped).await;
        around.receive("TEA", "hull", 10).await;
        let again = around.audit().await.unwrap();
        assert_eq!((again.levels, again.found, again.settled), (4, vec![], 0), "none is found twice");
        assert_eq!(places(&differences(&around, State::Open).await), expected);

        let [hull, lost, york] = ["hull", "lost", "york"].map(|place| {
            found.iter().find(|found| found.location == place).unwrap().difference_id.clone()
        });
        // Who put it right by hand has nothing taken off once more.
        around.tamper("TEA", "hull", ActiveModel { received: Set(15), ..Default::default() }).await;
        let changed = refused(resolve(&around, &hull, true).await);
        assert_eq!(changed, (Code::FailedPrecondition, Some("DIFFERENCE_CHANGED".to_owned())));
        around.tamper("TEA", "hull", ActiveModel { received: Set(17), ..Default::default() }).await;
        let corrected = resolve(&around, &hull, true).await.unwrap();
        assert_eq!((corrected.resolution(), corrected.resolved_by.as_str()), (Resolution::Corrected, "operator"));
        let level = around.levels("TEA").await.into_iter().find(|level| level.location == "hull").unwrap();
        assert_eq!((level.received, level.on_hand), (15, 15), "as if nobody had touched it");
        let gone = refused(resolve(&around, &lost, true).await);
        assert_eq!(gone, (Code::FailedPrecondition, Some("COUNTERS_NOT_CORRECTABLE".to_owned())));
        let noted = resolve(&around, &lost, false).await.unwrap();
        assert_eq!((noted.resolution(), noted.note.as_str()), (Resolution::Noted, "somebody was at the database"));
        let twice = refused(resolve(&around, &hull, true).await);
        assert_eq!(twice, (Code::FailedPrecondition, Some("DIFFERENCE_RESOLVED".to_owned())));
        let unknown = refused(resolve(&around, &Uuid::now_v7().to_string(), false).await);
        assert_eq!(unknown, (Code::NotFound, Some("DIFFERENCE_NOT_FOUND".to_owned())));

        // Whoever did it puts it right.
        around.tamper("TEA", "york", ActiveModel { received: Set(5), shipped: Set(0), ..Default::default() }).await;
        let over = around.audit().await.unwrap();
        assert_eq!((over.found, over.settled), (vec![], 1));
        assert_eq!(differences(&around, State::Open).await, []);
        let resolved = differences(&around, State::Resolved).await;
        let agreed = resolved.iter().find(|found| found.difference_id == york).unwrap();
        assert_eq!((resolved.len(), agreed.resolution(), agreed.resolved_by.as_str()), (3, Resolution::Agreed, "audit"));
        shows(&around, 0).await;

        around.tamper("TEA", "york", ActiveModel { received: Set(6), ..Default::default() }).await;
        let anew = around.audit().await.unwrap().found;
        assert_eq!(places(&anew), [("york", count(6, 0, 0), count(5, 0, 0))]);
        assert_eq!(anew[0].difference_id, york);
        assert_eq!(before.len(), 4);
    }

    async fn among_orders_nothing_is_found(database: Database) {
        let around = Around::open(database).await;
        for (sku, place) in [("MUG", "hull"), ("TEA", "hull"), ("TEA", "york")] {
            around.receive(sku, place, 60).await;
        }
        let trading = async {
            let mut last = String::new();
            for number in 0..40_i32 {
                let order = around.place(&[("TEA", 1 + number % 3), ("MUG", 1)]).await;
                around.becomes(&order, ReservationStatus::Reserved).await;
                if number % 2 == 0 { around.cancel(&order).await } else { around.dispatch(&order).await }
                around.receive("MUG", "hull", 1).await;
                last = order;
            }
            around.becomes(&last, ReservationStatus::Shipped).await;
        };
        let over = std::sync::atomic::AtomicBool::new(false);
        let auditing = async {
            let mut audits = 0;
            while !over.load(std::sync::atomic::Ordering::SeqCst) {
                let audit = around.audit().await.unwrap();
                assert_eq!((audit.levels, audit.found, audit.settled), (3, vec![], 0), "audit {audits}");
                audits += 1;
            }
            audits
        };
        let trading = async {
            trading.await;
            over.store(true, std::sync::atomic::Ordering::SeqCst);
        };
        let ((), audits) = tokio::join!(trading, auditing);
        assert!(audits > 1, "{audits}");
        assert_eq!(differences(&around, State::Unspecified).await, []);
    }

    async fn movements_are_listed_by_what_they_are_of_and_a_rebuild_says_the_same(database: Database) {
        let around = Around::open(database).await;
        around.receive("TEA", "hull", 5).await;
        around.receive("MUG", "york", 5).await;
        let [kept, returned] = [around.place(&[("TEA", 2), ("MUG", 1)]).await, around.place(&[("TEA", 1)]).await];
        around.becomes(&kept, ReservationStatus::Reserved).await;
        around.becomes(&returned, ReservationStatus::Reserved).await;
        around.dispatch(&kept).await;
        around.cancel(&returned).await;
        around.becomes(&kept, ReservationStatus::Shipped).await;
        around.becomes(&returned, ReservationStatus::Released).await;
        let correction = CorrectStockRequest {
            request_id: "c-1".to_owned(),
            sku: "TEA".to_owned(),
            location: "hull".to_owned(),
            to: Some(To::Counted(2)),
            reason: "one is broken".to_owned(),
        };
        let corrected = around.inventory().correct_stock(correction).await.unwrap().into_inner();
        assert_eq!((corrected.change, corrected.level.unwrap().on_hand), (-1, 2));
        let all = around.has_listed(9).await;

        let asked = async |request: ListStockMovementsRequest| {
            let found = around.listed(request).await;
            found.iter().map(|moved| (moved.kind(), moved.on_hand, moved.reserved)).collect::<Vec<_>>()
        };
        let of_order = ListStockMovementsRequest { order_id: returned.clone(), ..Default::default() };
        assert_eq!(asked(of_order).await, [(Kind::Reservation, 0, 1), (Kind::Release, 0, -1)]);
        let of_sku = ListStockMovementsRequest { sku: "MUG".to_owned(), page_size: 1, ..Default::default() };
        let expected = [(Kind::Receipt, 5, 0), (Kind::Reservation, 0, 1), (Kind::Shipment, -1, -1)];
        assert_eq!(asked(of_sku).await, expected);
        let elsewhere = ListStockMovementsRequest { sku: "MUG".to_owned(), location: "hull".to_owned(), ..Default::default() };
        assert_eq!(asked(elsewhere).await, []);
        let corrections = ListStockMovementsRequest { kind: Kind::Correction.into(), ..Default::default() };
        let [correction] = around.listed(corrections).await.try_into().unwrap();
        assert_eq!((correction.on_hand, correction.reason.as_str(), correction.corrected_by.as_str()), (-1, "one is broken", "operator"));
        let since = ListStockMovementsRequest { start_time: correction.time, ..Default::default() };
        assert_eq!(around.listed(since).await, std::slice::from_ref(&correction));
        let until = ListStockMovementsRequest { end_time: correction.time, ..Default::default() };
        assert_eq!(around.listed(until).await, all[..8]);

        let (projection, reason) = ("inventory.movements".to_owned(), "a test".to_owned());
        around.consumers().rebuild_projection(RebuildProjectionRequest { projection, reason }).await.unwrap();
        eventually(DEADLINE, "what was built is read", async || {
            let all = around.consumers().list_projections(ListProjectionsRequest {}).await.unwrap().into_inner();
            let [built] = &all.projections[..] else { return Err(all) };
            if built.start_time.is_some() && built.build.is_none() && built.ask_time.is_none() { Ok(()) } else { Err(all) }
        })
        .await;
        assert_eq!(around.audit().await.unwrap().found, []);
        assert_eq!(around.has_listed(9).await, all);
    }
}

#[test]
fn while_the_movements_rest_an_audit_is_as_exact_as_ever() {
    block_on(async {
        let around = Around::open(Database::sqlite()).await;
        around.receive("TEA", "hull", 5).await;
        around.has_listed(1).await;
        let consumer = || "inventory.movements".to_owned();
        let pause = PauseConsumerRequest { consumer: consumer(), reason: "a test".to_owned() };
        around.consumers().pause_consumer(pause).await.unwrap();
        for _ in 0..3 {
            around.receive("TEA", "hull", 5).await;
        }
        assert_eq!(around.audit().await.unwrap().found, []);
        around.tamper("TEA", "hull", ActiveModel { received: Set(21), ..Default::default() }).await;
        assert_eq!(places(&around.audit().await.unwrap().found), [("hull", count(21, 0, 0), count(20, 0, 0))]);
        around.consumers().resume_consumer(ResumeConsumerRequest { consumer: consumer() }).await.unwrap();
        around.has_listed(4).await;
        assert_eq!(around.audit().await.unwrap().found, []);
    });
}
