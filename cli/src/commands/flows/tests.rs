use contracts::tradewind::analytics::v1::{AgeClass, Flow, FlowStep, FlowSum, FlowTurn, ListStuckFlowsResponse};
use prost_types::{Duration, Timestamp};

use shop::Reason;
use shop::explain::{Held, Remedy};

use super::show;

const PAID: &str = "tradewind.ordering.v1.OrderPaid";

fn step() -> FlowStep {
    let any_of = ["OrderConfirmed", "OrderCancelled"].map(|name| format!("tradewind.ordering.v1.{name}"));
    FlowStep { event: PAID.to_owned(), any_of: any_of.into(), turns: turns(), within: Some(seconds(60)) }
}

fn turns() -> Vec<FlowTurn> {
    vec![FlowTurn { service: "shipping".to_owned(), reaction: "book_on_order_paid".to_owned() }]
}

fn seconds(seconds: i64) -> Duration {
    Duration { seconds, nanos: 0 }
}

const fn at(seconds: i64) -> Timestamp {
    Timestamp { seconds, nanos: 0 }
}

fn flow(order_id: &str, age: i64) -> Flow {
    Flow {
        order_id: order_id.to_owned(),
        step: Some(step()),
        since_time: Some(at(1_000)),
        due_time: Some(at(1_060)),
        age: Some(seconds(age)),
        turns: turns(),
        ..Flow::default()
    }
}

#[test]
fn each_line_says_what_is_awaited_of_whom_since_when() {
    let sum = FlowSum {
        step: Some(step()),
        age_class: AgeClass::Minutes.into(),
        count: 2,
        oldest_time: Some(at(1_000)),
        turns: turns(),
    };
    let flows = vec![flow("o-1", 125), flow("o-\u{1b}2", 20)];
    let mut found = ListStuckFlowsResponse { flows, sums: vec![sum], ..Default::default() };
    let held = Held { from: "shipping".to_owned(), why: "it is away".to_owned(), remedy: Some(Remedy::Status) };
    let reason = |held| Reason { event: PAID.to_owned(), order_id: "o-1".to_owned(), held };
    let lines =
        show::lines(&found, &[reason(Ok(vec![held])), reason(Err("NOT_FOUND: no such order".to_owned()))], Some(3));
    let awaits = "OrderPaid awaits OrderConfirmed or OrderCancelled of shipping (book_on_order_paid)";
    assert_eq!(lines[0], format!("     2  MINUTES  {awaits}, the first since 1970-01-01T00:16:40Z"));
    assert_eq!(lines[1..3], ["why OrderPaid waits, of o-1: shipping: it is away", "  try: tradewind status"]);
    assert_eq!(lines[3..5], ["why OrderPaid waits, of o-1: NOT_FOUND: no such order", ""]);
    assert_eq!(lines[5], format!("o-1  {awaits} since 1970-01-01T00:16:40Z (2m 5s, LATE by 1m 5s)"));
    assert!(lines[6].ends_with("(20s, 40s left)") && !lines[6].contains('\u{1b}'), "{lines:#?}");
    assert_eq!(lines[7..], ["next: tradewind order explain o-1"]);
    found.sums_limited = true;
    let limited = "More may wait than are summed up here: these are the 2 that have waited longest.";
    assert_eq!(show::lines(&found, &[], Some(3))[0], limited);
}

#[test]
fn where_nothing_waits_that_is_said() {
    let lines = |behind| show::lines(&ListStuckFlowsResponse::default(), &[], behind);
    let nothing = "Nothing of what was asked for waits.";
    assert_eq!((lines(Some(0)), lines(None)), (vec![nothing.to_owned()], vec![nothing.to_owned()]));
    let old = "analytics has 1000 events still to read: what is shown may be settled, and more may wait.";
    assert_eq!(lines(Some(1_000)), [old, nothing]);
}
