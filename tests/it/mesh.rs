//! What running services tell of their calls, and what comes of faults that an operator puts into them.

use contracts::tradewind::consumer::v1::ListConsumersRequest;
use contracts::tradewind::mesh::v1::{
    CircuitState, ClearFaultsRequest, Endpoint, GetMeshStatusRequest, GetMeshStatusResponse, ListFaultsRequest,
    SetFaultRequest, Standing, Traffic,
};
use contracts::tradewind::ordering::v1::{OrderStatus, PlaceOrderRequest};
use futures::future::join_all;
use supervisor::services;
use tonic::{Code, Status};
use tradewind_mesh::{reason, violations};
use tradewind_testing::{Database, eventually};

use crate::people::Person;
use crate::shop::{Shop, in_a_shop};
use system_tests::PATIENCE;

const PLACE_ORDER: &str = "tradewind.ordering.v1.OrderingService/PlaceOrder";
const READ_LOG: &str = "tradewind.eventlog.v1.EventLogService/ReadLog";

async fn status(operator: &Person, service: &str) -> GetMeshStatusResponse {
    operator.mesh_of(service).get_mesh_status(GetMeshStatusRequest {}).await.unwrap().into_inner()
}

/// The only endpoint of `peer`, as `service` sees it.
async fn endpoint(operator: &Person, service: &str, peer: &str) -> Option<Endpoint> {
    let known = status(operator, service).await.peers.into_iter().find(|known| known.peer == peer)?;
    known.endpoints.into_iter().next()
}

/// The calls of `service` to `peer` of late.
async fn traffic(operator: &Person, service: &str, peer: &str) -> Traffic {
    let known = status(operator, service).await.peers.into_iter().find(|known| known.peer == peer).unwrap();
    known.traffic.unwrap()
}

/// How `service` does with the log of `peer`, once it was asked about its consumers, and so has asked for where that log ends.
async fn reads(operator: &Person, service: &str, peer: &str) -> Option<CircuitState> {
    operator.consumers_of(service).list_consumers(ListConsumersRequest {}).await.unwrap();
    let circuits = endpoint(operator, service, peer).await?.circuits;
    circuits.iter().find(|circuit| circuit.method == READ_LOG).map(|circuit| circuit.state())
}

/// A fault that makes calls fail for a minute.
fn failing(method: &str, peer: &str) -> SetFaultRequest {
    SetFaultRequest {
        method: method.to_owned(),
        peer: peer.to_owned(),
        abort: "UNAVAILABLE".to_owned(),
        lasts: Some(prost_types::Duration { seconds: 60, nanos: 0 }),
        ..SetFaultRequest::default()
    }
}

#[test]
fn each_service_tells_under_which_certificate_it_serves_and_how_those_stand_whom_it_calls() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let operator = &shop.operator;
        join_all(services::names().map(async |service| {
            let told = status(operator, service).await;
            assert_eq!(told.service, service);
            assert!(!told.instance.is_empty() && !told.version.is_empty(), "{told:?}");
            let [generation] = told.generations.as_slice() else { panic!("{told:?}") };
            assert!(generation.number == 1 && generation.connections >= 1 && generation.calls >= 1, "{generation:?}");
            assert!((99.9..100.1).contains(&generation.calls_percent), "{generation:?}");
        }))
        .await;
        eventually(PATIENCE, "ordering reads the log of catalog", async || {
            let state = reads(operator, "ordering", "catalog").await;
            (state == Some(CircuitState::Closed)).then_some(()).ok_or(state)
        })
        .await;
        let catalog = endpoint(operator, "ordering", "catalog").await.unwrap();
        assert_eq!(catalog.standing(), Standing::Ready);
        assert_eq!(catalog.address, shop.address("catalog").to_string());
        assert!(catalog.connections >= 1 && catalog.latency.is_some(), "{catalog:?}");
        let traffic = traffic(operator, "ordering", "catalog").await;
        assert!(traffic.calls_per_second > 0.0, "{traffic:?}");
    });
}

#[test]
fn a_fault_in_calls_to_a_peer_opens_its_circuit_until_it_is_cleared() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let operator = &shop.operator;
        let fault = operator.mesh_of("ordering").set_fault(failing(READ_LOG, "catalog")).await.unwrap().into_inner();
        let fault = fault.fault.unwrap();
        assert_eq!((fault.percent, fault.principal.as_str(), fault.injected), (100, "operator", 0));
        eventually(PATIENCE, "the circuit opens", async || {
            let state = reads(operator, "ordering", "catalog").await;
            (state == Some(CircuitState::Open)).then_some(()).ok_or(state)
        })
        .await;
        let told = status(operator, "ordering").await;
        assert!(told.faults.len() == 1 && told.faults[0].injected >= 5, "{:?}", told.faults);
        let traffic = traffic(operator, "ordering", "catalog").await;
        assert!(traffic.failed_percent > 5.0, "{traffic:?}");
        assert!(status(operator, "payment").await.faults.is_empty(), "it is ordering's alone");

        let clear = ClearFaultsRequest { numbers: vec![fault.number] };
        let cleared = operator.mesh_of("ordering").clear_faults(clear).await.unwrap().into_inner();
        assert_eq!(cleared.faults.len(), 1);
        eventually(PATIENCE, "the circuit closes", async || {
            let state = reads(operator, "ordering", "catalog").await;
            (state == Some(CircuitState::Closed)).then_some(()).ok_or(state)
        })
        .await;
        let left = operator.mesh_of("ordering").list_faults(ListFaultsRequest {}).await.unwrap().into_inner();
        assert!(left.faults.is_empty(), "{left:?}");
    });
}

#[test]
fn an_order_whose_calls_fail_half_the_time_is_placed_once_and_settles() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let tea = shop.offer("tea", 450, 5).await;
        let half = SetFaultRequest { percent: Some(50), ..failing(PLACE_ORDER, "") };
        shop.operator.mesh_of("ordering").set_fault(half).await.unwrap();
        let request = PlaceOrderRequest { request_id: "the-only-one".to_owned(), ..tea.order(2) };
        let order = eventually(PATIENCE, "an order is placed although calls fail", async || {
            let placed = shop.operator.try_place(request.clone()).await.map_err(|refused| refused.to_string())?;
            let told = status(&shop.operator, "ordering").await;
            if told.faults[0].injected > 0 { Ok(placed) } else { Err("no call has failed yet".to_owned()) }
        })
        .await;
        let settled = shop.operator.settled(&order.order_id).await;
        assert_eq!(settled.status(), OrderStatus::Confirmed);
        assert_eq!(shop.operator.orders().await.len(), 1);
    });
}

#[test]
fn a_fault_that_cannot_be_is_refused_with_every_field_at_fault() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let ask = async |request| shop.operator.mesh_of("ordering").set_fault(request).await.unwrap_err();
        let told = |refused: &Status| {
            assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
            let fields = violations(refused).into_iter().map(|violation| violation.field).collect::<Vec<_>>();
            (reason(refused).unwrap(), fields.join(" "))
        };
        let fine = || failing(PLACE_ORDER, "");
        for (request, why, fields) in [
            (SetFaultRequest { method: "PlaceOrder".to_owned(), ..fine() }, "METHOD_UNKNOWN", "method"),
            (failing("tradewind.catalog.v1.CatalogService/*", ""), "METHOD_NOT_SERVED", "method"),
            (failing("tradewind.mesh.v1.MeshService/*", ""), "METHOD_NEVER_FAULTED", "method"),
            (failing(READ_LOG, "nobody"), "PEER_UNKNOWN", "peer"),
            (SetFaultRequest { endpoint: "127.0.0.1:1".to_owned(), ..fine() }, "ENDPOINT_INVALID", "endpoint"),
            (
                SetFaultRequest { endpoint: "here".to_owned(), ..failing(READ_LOG, "catalog") },
                "ENDPOINT_INVALID",
                "endpoint",
            ),
            (SetFaultRequest { abort: "BROKEN".to_owned(), ..fine() }, "ABORT_INVALID", "abort"),
            (SetFaultRequest { abort: String::new(), ..fine() }, "FAULT_EMPTY", "abort"),
            (SetFaultRequest { percent: Some(101), ..fine() }, "PERCENT_OUT_OF_RANGE", "percent"),
            (SetFaultRequest { lasts: None, ..fine() }, "LASTS_OUT_OF_RANGE", "lasts"),
            (SetFaultRequest { percent: Some(101), lasts: None, ..fine() }, "INVALID_REQUEST", "percent lasts"),
        ] {
            let shown = format!("{request:?}");
            assert_eq!(told(&ask(request).await), (why.to_owned(), fields.to_owned()), "{shown}");
        }
        assert!(status(&shop.operator, "ordering").await.faults.is_empty());
    });
}
