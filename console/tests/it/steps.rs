//! What waits at one step is found behind whatever waits at others.

use std::collections::BTreeMap;

use contracts::tradewind::analytics::v1::flow_service_server::{FlowService, FlowServiceServer};
use contracts::tradewind::analytics::v1::{Flow, FlowStep, ListStuckFlowsRequest, ListStuckFlowsResponse};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::planned::serve;
use crate::stand::{Stand, get, text};

/// An order that waits for a payment on each of so many pages, and on the last one that waits for stock.
struct Pages(usize);

fn flow(order: &str, event: &str) -> Flow {
    let step = FlowStep { event: format!("tradewind.ordering.v1.{event}"), ..FlowStep::default() };
    Flow { order_id: order.to_owned(), step: Some(step), ..Flow::default() }
}

#[tonic::async_trait]
impl FlowService for Pages {
    async fn list_stuck_flows(
        &self,
        request: Request<ListStuckFlowsRequest>,
    ) -> Result<Response<ListStuckFlowsResponse>, Status> {
        let page = request.into_inner().page_token.parse().unwrap_or(0);
        let is_last = page == self.0;
        let flow = if is_last { flow("order-of-stock", "OrderPlaced") } else { flow("o", "OrderStockConfirmed") };
        let next_page_token = if is_last { String::new() } else { (page + 1).to_string() };
        Ok(Response::new(ListStuckFlowsResponse { flows: vec![flow], next_page_token, ..Default::default() }))
    }
}

#[tokio::test]
async fn nothing_is_said_to_wait_while_it_does_behind_others() {
    let nothing = "Nothing of what was asked for waits.";
    // Found; further than is looked at a time; and nowhere.
    for (pages, step, found, is_said) in
        [(3, "OrderPlaced", true, false), (100, "OrderPlaced", false, false), (3, "OrderPaid", false, true)]
    {
        let pki = tradewind_testing::pki(&["operator", "analytics"]);
        let analytics = serve(&pki, "analytics", Routes::new(FlowServiceServer::new(Pages(pages)))).await;
        let peers = BTreeMap::from([("analytics".to_owned(), analytics.to_string())]);
        let stand = Stand::of_services(pki, peers);
        let cookie = stand.enter().await;
        let page = text(stand.ask(get(&format!("/console?step={step}"), &cookie)).await).await;
        assert_eq!(page.contains("order-of-stock"), found, "{pages} {step}: {page}");
        assert_eq!(page.contains(nothing), is_said, "{pages} {step}: {page}");
        assert_eq!(page.contains("Next page"), pages == 100, "{pages} {step}: {page}");
    }
}
