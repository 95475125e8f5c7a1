//! One trace from the client's call to the last participant's log.

use contracts::tradewind::{
    eventlog::v1::EventRecord,
    ordering::v1::{OrderStatus, PlaceOrderRequest, ordering_service_client::OrderingServiceClient},
};
use tonic::Request;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};
use tradewind_testing::{Database, block_on};
use uuid::Uuid;

use crate::process::Process;
use crate::shop::Shop;

#[test]
fn a_clients_trace_runs_through_every_service_into_the_last_ones_log_on_sqlite() {
    block_on(follow_a_trace(Database::sqlite));
}

#[test]
fn a_clients_trace_runs_through_every_service_into_the_last_ones_log_on_postgres() {
    block_on(follow_a_trace(Database::postgres));
}

async fn follow_a_trace(database: impl Fn() -> Database) {
    let shop = Shop::open_without("notification", database).await;
    let notification = Process::start(&shop, "notification").await;
    let tea = shop.offer("tea", 450, 5).await;

    // A client that has nothing of ours: the certificate, and a trace of its own in a header.
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(shop.credential("ca.pem")))
        .identity(Identity::from_pem(shop.credential("operator.pem"), shop.credential("operator.key")))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://{}", shop.address("ordering"))).unwrap();
    let channel = endpoint.tls_config(tls).unwrap().connect().await.unwrap();
    let trace_id = Uuid::now_v7().simple().to_string();
    let order = PlaceOrderRequest { request_id: trace_id.clone(), ..tea.order(1) };
    let mut request = Request::new(order);
    let traceparent = format!("00-{trace_id}-00f067aa0ba902b7-01");
    request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
    let placed = OrderingServiceClient::new(channel).place_order(request).await.unwrap().into_inner().order.unwrap();

    let settled = shop.operator.settled(&placed.order_id).await;
    assert_eq!(settled.status(), OrderStatus::Confirmed, "{settled:?}");
    for (service, expected) in [
        ("ordering", &["OrderPlaced", "OrderStockConfirmed", "OrderPaid", "OrderConfirmed"][..]),
        ("inventory", &["StockReserved"]),
        ("payment", &["PaymentRequested", "PaymentCaptured"]),
        ("shipping", &["ShipmentRequested", "ShipmentBooked"]),
    ] {
        let events = shop.operator.events_about(service, &placed.order_id).await;
        let names: Vec<_> = events.iter().map(|event| event.r#type.rsplit('.').next().unwrap()).collect();
        // Shipping may have cleared the parcel by now.
        assert!(names.starts_with(expected), "{service} recorded {names:?}");
        for event in &events {
            assert!(event.traceparent.starts_with(&format!("00-{trace_id}-")), "{service} lost the trace: {event:?}");
        }
        assert!(spans_differ(&events), "{service} names no work of its own: {events:?}");
    }
    let about_it = |line: &serde_json::Value| {
        line["service"] == "notification" && line["trace_id"] == *trace_id && line["span_id"].is_string()
    };
    notification.says(&format!("something in the trace {trace_id}"), about_it).await;

    shop.prove_books().await;
    notification.stop().await;
    shop.close().await;
}

/// Every event was recorded within some work, not within the client's own span.
fn spans_differ(events: &[EventRecord]) -> bool {
    events.iter().all(|event| event.traceparent.split('-').nth(2).is_some_and(|span| span != "00f067aa0ba902b7"))
}
