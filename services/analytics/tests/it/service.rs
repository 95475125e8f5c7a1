//! The whole service beside stand-ins for those whose events it follows.

use contracts::tradewind::analytics::v1::flow_service_client::FlowServiceClient;
use contracts::tradewind::analytics::v1::{Flow, FlowState, ListStuckFlowsRequest};
use contracts::tradewind::ordering::v1::{OrderConfirmed, OrderPaid, OrderPlaced, OrderStockConfirmed};
use contracts::tradewind::payment::v1::{PaymentCaptured, PaymentRequested};
use contracts::tradewind::shipping::v1::ShipmentRequested;
use tonic::Code;
use tradewind_mesh::{Channel, reason, violations};
use tradewind_testing::{Database, both_stores, eventually};
use uuid::Uuid;

use super::surroundings::{DEADLINE, Surroundings};

/// An order that is paid.
async fn paid(around: &Surroundings) -> String {
    let order_id = Uuid::now_v7().to_string();
    around.ordering.say(&order_id, OrderPlaced { order_id: order_id.clone(), ..Default::default() }).await;
    around.ordering.say(&order_id, OrderStockConfirmed { order_id: order_id.clone(), ..Default::default() }).await;
    around.payment.say(&order_id, PaymentRequested { order_id: order_id.clone(), ..Default::default() }).await;
    around.payment.say(&order_id, PaymentCaptured { order_id: order_id.clone(), ..Default::default() }).await;
    around.ordering.say(&order_id, OrderPaid { order_id: order_id.clone(), ..Default::default() }).await;
    order_id
}

fn waiting() -> ListStuckFlowsRequest {
    ListStuckFlowsRequest { state: FlowState::Waiting.into(), ..Default::default() }
}

fn any(order_id: &str) -> ListStuckFlowsRequest {
    ListStuckFlowsRequest { state: FlowState::Any.into(), order_id: order_id.to_owned(), ..Default::default() }
}

async fn list(client: &FlowServiceClient<Channel>, request: ListStuckFlowsRequest) -> Vec<Flow> {
    client.clone().list_stuck_flows(request).await.unwrap().into_inner().flows
}

/// What waits: orders, and the names of events.
fn seen(flows: &[Flow]) -> Vec<(String, String)> {
    let step = |flow: &Flow| flow.step.as_ref().unwrap().event.rsplit('.').next().unwrap().to_owned();
    flows.iter().map(|flow| (flow.order_id.clone(), step(flow))).collect()
}

/// Waits until exactly this waits.
async fn waits(client: &FlowServiceClient<Channel>, expected: &[(&str, &str)]) -> Vec<Flow> {
    let mut expected: Vec<_> =
        expected.iter().map(|(order, event)| ((*order).to_owned(), (*event).to_owned())).collect();
    expected.sort();
    eventually(DEADLINE, &format!("{expected:?} waits"), async || {
        let flows = list(client, waiting()).await;
        let mut seen = seen(&flows);
        seen.sort();
        if seen == expected { Ok(flows) } else { Err(seen) }
    })
    .await
}

both_stores! {
    async fn what_orders_wait_for_is_told_until_it_has_followed(database: Database) {
        let around = Surroundings::open(database).await;
        let running = around.start().await;
        let flows = around.flows("operator", &running);
        let order = paid(&around).await;
        let found = waits(&flows, &[(&order, "OrderPaid")]).await;
        let step = found[0].step.clone().unwrap();
        let turns: Vec<_> = found[0].turns.iter().map(|turn| (turn.service.as_str(), turn.reaction.as_str())).collect();
        assert_eq!(turns, [("shipping", "book_on_order_paid")]);
        assert_eq!(step.any_of, ["OrderConfirmed", "OrderCancelled"].map(|name| format!("tradewind.ordering.v1.{name}")));
        let (since, due) = (found[0].since_time.unwrap(), found[0].due_time.unwrap());
        assert_eq!((due.seconds - since.seconds, step.within.unwrap().seconds), (60, 60));

        around.shipping.say(&order, ShipmentRequested { order_id: order.clone(), ..Default::default() }).await;
        waits(&flows, &[(&order, "OrderPaid"), (&order, "ShipmentRequested")]).await;
        around.ordering.say(&order, OrderConfirmed { order_id: order.clone(), ..Default::default() }).await;
        waits(&flows, &[(&order, "ShipmentRequested")]).await;
        let all = list(&flows, any(&order)).await;
        assert_eq!(all.iter().filter(|flow| flow.settle_time.is_some()).count(), 4, "{all:?}");
    }

    async fn what_was_said_while_it_was_away_is_read_and_a_rebuild_says_the_same(database: Database) {
        let around = Surroundings::open(database).await;
        let mut running = around.start().await;
        let first = paid(&around).await;
        waits(&around.flows("operator", &running), &[(&first, "OrderPaid")]).await;
        running.stop();
        running.wait().await.unwrap();
        let second = paid(&around).await;
        around.ordering.say(&first, OrderConfirmed { order_id: first.clone(), ..Default::default() }).await;

        let running = around.start().await;
        let flows = around.flows("operator", &running);
        waits(&flows, &[(&second, "OrderPaid")]).await;
        let ages_apart = |flow: Flow| Flow { age: None, ..flow };
        let rows = async || {
            let mut all = list(&flows, any(&first)).await;
            all.extend(list(&flows, any(&second)).await);
            all.into_iter().map(ages_apart).collect::<Vec<_>>()
        };
        // Each log is read for itself.
        let before = eventually(DEADLINE, "all that was said is read", async || {
            let rows = rows().await;
            if rows.len() == 8 { Ok(rows) } else { Err(rows) }
        })
        .await;

        around.rebuild(&running, "analytics.flows").await;
        assert_eq!(rows().await, before);
        // It goes on in the slot that was built.
        around.ordering.say(&second, OrderConfirmed { order_id: second.clone(), ..Default::default() }).await;
        waits(&flows, &[]).await;
    }

    async fn malformed_requests_name_their_field_and_strangers_are_turned_away(database: Database) {
        let around = Surroundings::open(database).await;
        let running = around.start().await;
        let asked = ListStuckFlowsRequest { service: "Shipping".to_owned(), ..Default::default() };
        let refused = around.flows("operator", &running).list_stuck_flows(asked).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::InvalidArgument, Some("INVALID_SERVICE")));
        assert_eq!(violations(&refused)[0].field, "service");
        let refused = around.flows("catalog", &running).list_stuck_flows(waiting()).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
}
