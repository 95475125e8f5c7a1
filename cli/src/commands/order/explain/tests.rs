#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeMap;

use contracts::tradewind::consumer::v1::{
    Attempt, Consumer, GetProgressResponse, Intent, ParkedStream, Partition, Pause, Source, Stuck,
};
use contracts::tradewind::eventlog::v1::EventRecord;
use prost_types::Timestamp;
use shop::explain::{Awaited, Facts, Said, What, awaited, steps};
use time::{Duration, OffsetDateTime};

use super::show;

/// Milliseconds after the order was placed.
fn at(millis: i64) -> Timestamp {
    Timestamp { seconds: 1_000 + millis / 1_000, nanos: i32::try_from(millis % 1_000 * 1_000_000).unwrap() }
}

/// An event of ordering, inventory or shipping: `ordering.OrderPlaced`. Its id is its name, its position its version.
fn event(name: &str, version: u64, millis: i64, causation: &str) -> EventRecord {
    let (context, event) = name.split_once('.').unwrap();
    EventRecord {
        id: event.to_owned(),
        stream: format!("{context}-o1"),
        version,
        position: version,
        r#type: format!("tradewind.{context}.v1.{event}"),
        time: Some(at(millis)),
        causation: causation.to_owned(),
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        ..EventRecord::default()
    }
}

/// One that has read so far in each of these contexts' logs.
fn consumer(name: &str, read: &[(&str, u64)]) -> Consumer {
    let source = |(source, position): &(&str, u64)| Source {
        source: (*source).to_owned(),
        partitions: vec![Partition { position: *position, ..Partition::default() }],
        ..Source::default()
    };
    Consumer { consumer: name.to_owned(), sources: read.iter().map(source).collect(), pause: None }
}

/// An order that is paid, which shipping has not heard of yet.
fn paid() -> Facts {
    let ordering = vec![
        event("ordering.OrderPlaced", 1, 0, "request-1"),
        event("ordering.OrderStockConfirmed", 2, 20, "StockReserved"),
        event("ordering.OrderPaid", 3, 50, "PaymentCaptured"),
    ];
    let payment = vec![
        event("payment.PaymentRequested", 1, 30, "OrderStockConfirmed"),
        event("payment.PaymentCaptured", 2, 40, "PaymentRequested"),
    ];
    let said = [
        ("ordering", ordering, [("inventory", 1), ("payment", 2), ("shipping", 0)].as_slice()),
        ("inventory", vec![event("inventory.StockReserved", 1, 10, "OrderPlaced")], &[("ordering", 3)]),
        ("payment", payment, &[("ordering", 3)]),
        ("shipping", Vec::new(), &[("ordering", 2)]),
        ("notification", Vec::new(), &[("ordering", 3)]),
        ("analytics", Vec::new(), &[("ordering", 4), ("inventory", 1), ("payment", 2), ("shipping", 2)]),
        ("documents", Vec::new(), &[("ordering", 4), ("payment", 2)]),
    ];
    let said = said.map(|(service, events, read)| {
        let progress =
            GetProgressResponse { consumers: vec![consumer(service, read)], ..GetProgressResponse::default() };
        (service, Said { events, progress })
    });
    Facts {
        order_id: "o1".to_owned(),
        status: Some("PAID".to_owned()),
        now: OffsetDateTime::UNIX_EPOCH + Duration::seconds(1_010),
        said: said.into(),
        away: BTreeMap::new(),
    }
}

fn of<'a>(facts: &'a mut Facts, service: &str) -> &'a mut Said {
    facts.said.get_mut(service).unwrap()
}

/// Shipping has asked the carrier.
fn requested() -> Facts {
    let mut facts = paid();
    let shipping = of(&mut facts, "shipping");
    shipping.progress.consumers[0].sources[0].partitions[0].position = 3;
    shipping.events = vec![event("shipping.ShipmentRequested", 1, 60, "OrderPaid")];
    let (kind, action) = ("carrier".to_owned(), "book".to_owned());
    let intent = Intent { kind, action, due_time: Some(at(9_000)), ..Intent::default() };
    shipping.progress.intents = vec![intent];
    facts
}

/// Confirmed.
fn confirmed() -> Facts {
    let mut facts = requested();
    let shipping = of(&mut facts, "shipping");
    shipping.progress.intents.clear();
    shipping.events.push(event("shipping.ShipmentBooked", 2, 70, "ShipmentRequested"));
    let ordering = of(&mut facts, "ordering");
    ordering.progress.consumers[0].sources[2].partitions[0].position = 2;
    ordering.events.push(event("ordering.OrderConfirmed", 4, 60_080, "ShipmentBooked"));
    facts
}

fn what_awaits(facts: &Facts) -> Vec<Awaited> {
    awaited(facts, &steps(facts).unwrap())
}

fn text(facts: &Facts) -> Vec<String> {
    let steps = steps(facts).unwrap();
    show::lines(facts, &steps, &awaited(facts, &steps))
}

fn paused(facts: &mut Facts) {
    let (principal, reason) = ("operator".to_owned(), "a look".to_owned());
    of(facts, "shipping").progress.consumers[0].pause = Some(Pause { principal, reason, start_time: Some(at(0)) });
}

fn stuck(facts: &mut Facts) {
    let (reason, error) = ("DATABASE_UNAVAILABLE".to_owned(), "no space".to_owned());
    let stuck = Some(Stuck { reason, error, start_time: Some(at(60)) });
    of(facts, "shipping").progress.consumers[0].sources[0].partitions[0].stuck = stuck;
}

fn parked(facts: &mut Facts) {
    let [consumer, source, stream] = ["shipping", "ordering", "ordering-o1"].map(ToOwned::to_owned);
    let (reason, error) = ("EVENT_UNDECODABLE".to_owned(), "not a message".to_owned());
    let stream =
        ParkedStream { consumer, source, stream, position: 3, attempts: 2, reason, error, ..ParkedStream::default() };
    let shipping = of(facts, "shipping");
    shipping.progress.consumers[0].sources[0].partitions[0].position = 3;
    shipping.progress.parked = vec![stream];
}

fn away(facts: &mut Facts) {
    facts.said.remove("shipping");
    facts.away.insert("shipping", "UNAVAILABLE: connection refused".to_owned());
}

#[test]
fn what_keeps_shipping_is_told_with_what_would_help() {
    type Change = fn(&mut Facts);
    let table: [(Change, &str, Option<&str>); 5] = [
        (|_| {}, "it has not come to OrderPaid yet", None),
        (paused, "its consumer is paused since", Some("tradewind consumer resume shipping shipping")),
        (stuck, "before OrderPaid: DATABASE_UNAVAILABLE: no space", Some("tradewind consumer list shipping")),
        (
            parked,
            "tried 2 times: EVENT_UNDECODABLE: not a message",
            Some("tradewind quarantine replay shipping ordering-o1 --consumer shipping"),
        ),
        (away, "shipping does not answer; whether it has handled OrderPaid is not known", Some("tradewind status")),
    ];
    for (change, why, command) in table {
        let mut facts = paid();
        change(&mut facts);
        let found = what_awaits(&facts);
        let [one] = &found[..] else { panic!("{why}: {found:?}") };
        assert_eq!((one.from.as_str(), one.after.as_str()), ("shipping", "OrderPaid"), "{why}");
        assert_eq!(one.any_of, ["OrderConfirmed", "OrderCancelled"]);
        assert_eq!((one.until.unwrap() - facts.now).whole_milliseconds(), 50_050);
        assert!(one.why.contains(why), "{why}: {one:?}");
        assert_eq!(one.remedy.as_ref().map(ToString::to_string).as_deref(), command, "{why}");
    }
}

#[test]
fn what_was_asked_of_the_outside_is_awaited_and_not_what_it_leads_to() {
    let mut facts = requested();
    let found = what_awaits(&facts);
    let [one] = &found[..] else { panic!("{found:?}") };
    assert_eq!((one.from.as_str(), one.after.as_str(), &one.remedy), ("shipping", "ShipmentRequested", &None));
    assert_eq!(one.why, "its call (carrier book) has no answer yet");
    let shipping = of(&mut facts, "shipping");
    shipping.progress.intents[0].attempt = 2;
    shipping.progress.intents[0].last_error = "timeout".to_owned();
    let why = what_awaits(&facts).remove(0).why;
    assert_eq!(why, "its call (carrier book) has failed 2 times, the next is due 1970-01-01T00:16:49Z: timeout");
}

#[test]
fn an_answer_that_its_reader_has_not_come_to_is_awaited_from_the_reader() {
    let mut facts = confirmed();
    let ordering = of(&mut facts, "ordering");
    ordering.events.pop();
    ordering.progress.consumers[0].sources[2].partitions[0].position = 1;
    let found = what_awaits(&facts);
    let [one] = &found[..] else { panic!("{found:?}") };
    assert_eq!((one.from.as_str(), one.why.as_str()), ("ordering", "it has not come to ShipmentBooked yet"));
}

#[test]
fn every_part_of_a_cancellation_that_is_outstanding_is_awaited() {
    let mut facts = paid();
    of(&mut facts, "ordering").events.push(event("ordering.OrderCancelled", 4, 60, "request-2"));
    let from: Vec<_> = what_awaits(&facts).into_iter().map(|one| (one.after, one.from)).collect();
    let expected = ["inventory", "payment", "shipping"].map(|from| ("OrderCancelled".to_owned(), from.to_owned()));
    assert_eq!(BTreeMap::from_iter(from.iter().map(|(after, from)| (from, after))).len(), 3, "{from:?}");
    assert!(expected.iter().all(|one| from.contains(one)), "{from:?}");
}

#[test]
fn what_takes_back_is_marked_and_what_does_not_is_not() {
    let mut facts = paid();
    of(&mut facts, "ordering").events.push(event("ordering.OrderCancelled", 4, 60, "request-2"));
    let payment = of(&mut facts, "payment");
    payment.events.push(event("payment.PaymentRefundRequested", 3, 70, "OrderCancelled"));
    payment.events.push(event("payment.PaymentRefunded", 4, 80, "PaymentRefundRequested"));
    let steps = steps(&facts).unwrap();
    let marked = steps.iter().filter_map(|step| match &step.what {
        What::Event(happened) if happened.compensates => Some(happened.name()),
        _ => None,
    });
    assert_eq!(marked.collect::<Vec<_>>(), ["PaymentRefundRequested", "PaymentRefunded"]);
}

#[test]
fn a_settled_order_shows_its_gap_and_awaits_nothing() {
    let lines = text(&confirmed());
    let line = |name: &str| lines.iter().find(|line| line.contains(&format!(" {name} "))).unwrap();
    assert!(line("OrderPlaced").starts_with("       0 ms      +0 ms  ordering"), "{lines:#?}");
    assert!(
        line("OrderPlaced").ends_with("handled by analytics, documents, inventory, notification  caused by request-1"),
        "{lines:#?}"
    );
    assert!(line("OrderConfirmed").starts_with("   60080 ms  +60010 ms  ordering"), "{lines:#?}");
    assert!(line("OrderConfirmed").contains("version 4   0/4"), "{lines:#?}");
    let end = ["Trace 4bf92f3577b34da6a3ce929d0e0e4736", "Nothing is awaited."];
    assert_eq!(lines[lines.len() - 2..], end);
}

#[test]
fn text_tells_of_attempts_of_who_is_away_and_of_what_is_late() {
    let mut facts = requested();
    let (kind, action, error) = ("carrier".to_owned(), "book".to_owned(), "no \u{1b}[31mroute".to_owned());
    let attempt = Attempt { kind, action, error, attempt: 1, time: Some(at(70)), ..Attempt::default() };
    of(&mut facts, "shipping").progress.attempts = vec![attempt];
    facts.said.remove("payment");
    facts.away.insert("payment", "UNAVAILABLE".to_owned());
    facts.now += Duration::minutes(2);
    let lines = text(&facts);
    let has = |text: &str| assert!(lines.iter().any(|line| line.contains(text)), "{text}: {lines:#?}");
    has("      70 ms     +10 ms  shipping      carrier book: attempt 1 failed: no ");
    has("payment cannot be asked, what it knows is missing here: UNAVAILABLE");
    has("owed     shipping      carrier book, 0 attempts failed");
    has("until 1970-01-01T00:17:40Z (LATE by 69 s)");
    assert!(lines.iter().all(|line| !line.contains('\u{1b}')), "{lines:#?}");
}

#[test]
fn programs_are_told_the_same() {
    let facts = paid();
    let steps = steps(&facts).unwrap();
    let shown = show::json(&facts, &steps, &awaited(&facts, &steps)).unwrap();
    assert_eq!(shown["steps"][0]["event"]["name"], "OrderPlaced");
    assert_eq!(shown["steps"][1]["gap_ms"], 10);
    let last = &shown["steps"][5]["event"];
    let shipping = last["readers"].as_array().unwrap().iter().find(|reader| reader["service"] == "shipping").unwrap();
    assert_eq!(shipping["reached"], "not yet", "{last}");
    assert_eq!((&shown["awaited"][0]["from"], &shown["awaited"][0]["command"]), (&"shipping".into(), &().into()));
}
