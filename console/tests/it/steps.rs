//! What waits at one step is found behind whatever waits at others, and what is no step is said to be none.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use contracts::tradewind::analytics::v1::flow_service_server::{FlowService, FlowServiceServer};
use contracts::tradewind::analytics::v1::{Flow, FlowStep, ListStuckFlowsRequest, ListStuckFlowsResponse};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::planned::serve;
use crate::stand::{Stand, get, text};

/// Analytics over hundreds of orders that wait for a payment, and a last one that waits for stock.
struct Waiting;

fn flow(order: String, event: &str) -> Flow {
    let step = FlowStep { event: format!("tradewind.ordering.v1.{event}"), ..FlowStep::default() };
    Flow { order_id: order, step: Some(step), ..Flow::default() }
}

#[tonic::async_trait]
impl FlowService for Waiting {
    async fn list_stuck_flows(
        &self,
        request: Request<ListStuckFlowsRequest>,
    ) -> Result<Response<ListStuckFlowsResponse>, Status> {
        let ListStuckFlowsRequest { step, page_size, page_token, .. } = request.into_inner();
        let mut all: Vec<_> = (0..700).map(|n| flow(format!("o-{n}"), "OrderStockConfirmed")).collect();
        all.push(flow("order-of-stock".to_owned(), "OrderPlaced"));
        all.retain(|flow| step.is_empty() || flow.step.as_ref().is_some_and(|is| is.event == step));
        let (at, size) = (page_token.parse().unwrap_or(0), usize::try_from(page_size).unwrap());
        let flows: Vec<_> = all.iter().skip(at).take(size).cloned().collect();
        let next_page_token = if at + size < all.len() { (at + size).to_string() } else { String::new() };
        Ok(Response::new(ListStuckFlowsResponse { flows, next_page_token, ..Default::default() }))
    }
}

#[tokio::test]
async fn what_waits_at_a_step_is_found_behind_hundreds_of_others() {
    let pki = tradewind_testing::pki(&["operator", "analytics"]);
    let analytics = serve(&pki, "analytics", Routes::new(FlowServiceServer::new(Waiting))).await;
    let stand = Stand::of_services(pki, BTreeMap::from([("analytics".to_owned(), analytics.to_string())]));
    let cookie = stand.enter().await;
    let nothing = "Nothing of what was asked for waits.";
    // Found, and all of it; a page of many; and none.
    for (step, found, is_said, has_more) in [
        ("OrderPlaced", true, false, false),
        ("tradewind.ordering.v1.OrderPlaced", true, false, false),
        ("OrderStockConfirmed", false, false, true),
        ("OrderPaid", false, true, false),
        ("tradewind.ordering.v1.OrderWas", false, true, false),
    ] {
        let page = text(stand.ask(get(&format!("/console?step={step}"), &cookie)).await).await;
        assert_eq!(page.contains("order-of-stock"), found, "{step}: {page}");
        assert_eq!(page.contains(nothing), is_said, "{step}: {page}");
        assert_eq!(page.contains("Next page"), has_more, "{step}: {page}");
        assert!(page.contains(&format!("value=\"{step}\" selected")) || found, "it is said what was asked for: {page}");
    }
    let answer = stand.ask(get("/console?step=OrderPayed", &cookie)).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let page = text(answer).await;
    assert!(page.contains("is no step of an order: say ") && !page.contains(nothing), "{page}");
}
