//! An event that nobody can read: the one order that it is about waits, and is settled once the event is put right.

use std::time::Duration;

use contracts::tradewind::{
    consumer::v1::{
        ActOutcome, GetParkedStreamRequest, ListActsRequest, ListParkedStreamsRequest, Outcome, ParkedStream,
        ReplayParkedStreamRequest, ReplayParkedStreamResponse,
    },
    ordering::v1::{OrderStatus, PlaceOrderRequest},
};
use futures::{StreamExt, stream};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tonic::{Code, Status};
use tradewind_mesh::reason;
use tradewind_testing::{Database, block_on, eventually};

use system_tests::{PATIENCE, people::Person, process::Process, shop::Shop};

/// Orders besides the one that has to wait.
const OTHERS: usize = 200;
const AT_ONCE: usize = 16;
/// Later than any test ends: nothing but its own event may settle the order that waits.
const DEADLINE: Duration = Duration::from_secs(3600);

#[test]
fn an_order_waits_for_an_event_that_cannot_be_read_and_no_other_order_does() {
    block_on(Box::pin(poison_and_cure()));
}

async fn poison_and_cure() {
    let mut shop = Shop::open_without("ordering", Database::sqlite).await;
    let ordering = Process::start(&shop, "ordering").await;
    let operator = &shop.operator;
    let tea = shop.offer("tea", 450, i64::try_from(OTHERS + 1).unwrap()).await;
    let inventory = poison(&shop.database_url("inventory")).await;

    let order = || PlaceOrderRequest { settle_within: Some(DEADLINE.try_into().unwrap()), ..tea.order(1) };
    // The database is what is poisoned, so the event has to be read there.
    shop.nats.stop();
    let waiting = operator.place(order()).await.order_id;
    let parked = eventually(PATIENCE, "its stream is parked", async || {
        let parked = parked(operator).await;
        if parked.len() == 1 { Ok(parked[0].clone()) } else { Err(parked) }
    })
    .await;
    shop.nats.start_again();
    let settled = stream::iter(0..OTHERS).map(async |_| {
        let placed = operator.place(order()).await;
        operator.settled(&placed.order_id).await.status()
    });
    let settled: Vec<_> = settled.buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(settled, [OrderStatus::Confirmed; OTHERS]);
    assert_eq!(operator.order(&waiting).await.status(), OrderStatus::Pending);

    explains(operator, &parked, &waiting).await;
    refuses(&shop, &parked).await;
    counts(&ordering, 1).await;
    let tried = replay(operator, &parked, true).await.unwrap();
    assert_eq!((tried.events[0].outcome(), &*tried.events[0].reason), (Outcome::Failed, "EVENT_UNDECODABLE"));

    inventory.execute_unprepared(CURE).await.unwrap();
    let tried = replay(operator, &parked, true).await.unwrap();
    assert_eq!((tried.events[0].outcome(), tried.events[0].from_owner), (Outcome::Handled, true));
    assert_eq!(operator.order(&waiting).await.status(), OrderStatus::Pending, "nothing has happened yet");
    assert_eq!(replay(operator, &parked, false).await.unwrap(), tried);
    assert_eq!(operator.settled(&waiting).await.status(), OrderStatus::Confirmed);

    // Whoever else reads it and keeps nobody waiting could not read it either.
    eventually(PATIENCE, "nothing is parked anywhere", async || {
        let parked = parked_anywhere(operator).await;
        for one in &parked {
            if let Some((service @ ("analytics" | "inventory"), _)) = one.consumer.split_once('.') {
                replay_at(service, operator, one, false).await.unwrap();
            }
        }
        if parked.is_empty() { Ok(()) } else { Err(parked) }
    })
    .await;
    counts(&ordering, 0).await;
    let acts = operator.consumers_of("ordering").list_acts(ListActsRequest::default()).await.unwrap().into_inner().acts;
    assert_eq!((acts[0].outcome(), acts[0].position), (ActOutcome::Done, parked.position));
    shop.prove_books().await;
    ordering.stop().await;
    shop.close().await;
}

/// Keeps the payload of the first reservation and stores in its place what is no message.
const POISON: &str = "
    PRAGMA busy_timeout = 10000;
    CREATE TABLE truth (stream TEXT NOT NULL, version BIGINT NOT NULL, payload BLOB NOT NULL);
    CREATE TRIGGER poison AFTER INSERT ON event
    WHEN NEW.type = 'tradewind.inventory.v1.StockReserved' AND NOT EXISTS (SELECT 1 FROM truth) BEGIN
        INSERT INTO truth VALUES (NEW.stream, NEW.version, NEW.payload);
        UPDATE event SET payload = x'ffffff' WHERE stream = NEW.stream AND version = NEW.version;
    END";
const CURE: &str = "
    UPDATE event SET payload = truth.payload FROM truth
    WHERE event.stream = truth.stream AND event.version = truth.version";

async fn poison(url: &str) -> DatabaseConnection {
    let database = tradewind_sql::connect(url).await.unwrap();
    database.execute_unprepared(POISON).await.unwrap();
    database
}

async fn parked(operator: &Person) -> Vec<ParkedStream> {
    let all = operator.consumers_of("ordering").list_parked_streams(ListParkedStreamsRequest::default()).await;
    all.unwrap().into_inner().streams
}

async fn parked_anywhere(operator: &Person) -> Vec<ParkedStream> {
    let mut streams = Vec::new();
    for service in supervisor::services::names() {
        let all = operator.consumers_of(service).list_parked_streams(ListParkedStreamsRequest::default()).await;
        streams.extend(all.unwrap().into_inner().streams);
    }
    streams
}

/// What is in quarantine says which event of which order it is, why it is there, and whose trace it belongs to.
async fn explains(operator: &Person, parked: &ParkedStream, order_id: &str) {
    assert_eq!(parked.stream, format!("reservation-{order_id}"));
    assert_eq!((&*parked.consumer, &*parked.source, &*parked.reason), ("ordering", "inventory", "EVENT_UNDECODABLE"));
    assert_eq!((parked.queued, parked.attempts), (0, 2));
    let ParkedStream { consumer, source, stream, .. } = parked.clone();
    let request = GetParkedStreamRequest { consumer, source, stream, ..GetParkedStreamRequest::default() };
    let shown = operator.consumers_of("ordering").get_parked_stream(request).await.unwrap().into_inner();
    let event = shown.events[0].event.clone().unwrap();
    assert_eq!((event.payload, &*event.correlation), (vec![0xff; 3], order_id));
    let recorded = operator.events_about("inventory", order_id).await;
    assert_eq!(event.traceparent, recorded[0].traceparent);
    assert!(shown.events[0].error.contains("StockReserved"), "{:?}", shown.events[0]);
}

async fn refuses(shop: &Shop, parked: &ParkedStream) {
    let nobodys = ParkedStream { consumer: "nobody".to_owned(), ..parked.clone() };
    let unknown = ParkedStream { stream: "reservation-0".to_owned(), ..parked.clone() };
    let unnamed = ParkedStream { stream: String::new(), ..parked.clone() };
    for (who, what, code, why) in [
        (&shop.person("notification"), parked, Code::PermissionDenied, "CALLER_NOT_ALLOWED"),
        (&shop.operator, &nobodys, Code::NotFound, "CONSUMER_UNKNOWN"),
        (&shop.operator, &unknown, Code::NotFound, "NOT_PARKED"),
        (&shop.operator, &unnamed, Code::InvalidArgument, "NAME_INVALID"),
    ] {
        let refused = replay(who, what, false).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (code, Some(why)), "{refused:?}");
    }
}

async fn replay(who: &Person, what: &ParkedStream, dry_run: bool) -> Result<ReplayParkedStreamResponse, Status> {
    replay_at("ordering", who, what, dry_run).await
}

async fn replay_at(
    service: &str,
    who: &Person,
    what: &ParkedStream,
    dry_run: bool,
) -> Result<ReplayParkedStreamResponse, Status> {
    let ParkedStream { consumer, source, stream, .. } = what.clone();
    let request = ReplayParkedStreamRequest { consumer, source, stream, dry_run };
    who.consumers_of(service).replay_parked_stream(request).await.map(tonic::Response::into_inner)
}

/// Waits until the service's own metrics tell of so many streams in quarantine, each with one event.
async fn counts(ordering: &Process, streams: u64) {
    eventually(PATIENCE, "the metrics tell what is in quarantine", async || {
        let metrics = ordering.metrics().await;
        let tells = |name: &str| {
            metrics.lines().any(|line| {
                line.starts_with(&format!("{name}{{consumer=\"ordering\""))
                    && line.contains("source=\"inventory\"")
                    && line.ends_with(&format!(" {streams}"))
            })
        };
        if tells("tradewind_reader_parked") && tells("tradewind_reader_parked_events") { Ok(()) } else { Err(metrics) }
    })
    .await;
}
