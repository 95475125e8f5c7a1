//! Sales in a ClickHouse, which comes and goes.

use contracts::tradewind::analytics::v1::{
    FlowState, ForecastStockRequest, GetFunnelRequest, ListSalesRequest, ListStuckFlowsRequest,
};
use contracts::tradewind::consumer::v1::{
    DiscardParkedEventRequest, ListParkedStreamsRequest, ReplayParkedStreamRequest,
};
use contracts::tradewind::inventory::v1::{Allocation, StockReceived};
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{OrderPaid, OrderPlaced, OrderStockConfirmed, PricedLine};
use tonic::Code;
use tradewind_mesh::reason;
use tradewind_runtime::Running;
use tradewind_testing::{ClickHouse, Database, both_stores, eventually};
use uuid::Uuid;

use super::sales::{ORDERS, eventually_told, sell};
use super::surroundings::{DEADLINE, Surroundings};

const FACTS: &str = "analytics.facts";

/// Sales are not told, and it is said why.
async fn is_told_nothing(around: &Surroundings, running: &Running, why: &str) {
    let mut sales = around.sales(running);
    let refused = [
        sales.list_sales(ListSalesRequest::default()).await.unwrap_err(),
        sales.get_funnel(GetFunnelRequest::default()).await.unwrap_err(),
        sales.forecast_stock(ForecastStockRequest::default()).await.unwrap_err(),
    ];
    for refused in refused {
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::Unavailable, Some("CLICKHOUSE_UNAVAILABLE")));
        assert_eq!(refused.message(), why);
    }
}

/// What waits for something else is followed meanwhile.
async fn nobody_else_notices(around: &Surroundings, running: &Running, order_id: &str) {
    eventually(DEADLINE, "flows are followed", async || {
        let state = FlowState::Any.into();
        let asked = ListStuckFlowsRequest { state, order_id: order_id.to_owned(), ..Default::default() };
        let flows = around.flows("operator", running).list_stuck_flows(asked).await.unwrap().into_inner().flows;
        if flows.is_empty() { Err(flows) } else { Ok(()) }
    })
    .await;
}

/// How many orders of a period have come to each step, and what is available.
async fn counted(around: &Surroundings, running: &Running) -> (Vec<i64>, Vec<i64>) {
    let mut sales = around.sales(running);
    let steps = sales.get_funnel(GetFunnelRequest::default()).await.unwrap().into_inner().steps;
    let stock = sales.forecast_stock(ForecastStockRequest::default()).await.unwrap().into_inner().forecasts;
    (steps.iter().map(|step| step.orders).collect(), stock.iter().map(|one| one.available).collect())
}

async fn eventually_counted(around: &Surroundings, running: &Running, expected: &(Vec<i64>, Vec<i64>)) {
    eventually(DEADLINE, "all that was said is counted once", async || {
        let counted = counted(around, running).await;
        if counted == *expected { Ok(()) } else { Err(counted) }
    })
    .await;
}

async fn parked(around: &Surroundings, running: &Running) -> Vec<(String, u64)> {
    let parked = around.consumers(running).list_parked_streams(ListParkedStreamsRequest::default()).await.unwrap();
    let streams = parked.into_inner().streams.into_iter().filter(|stream| stream.consumer == FACTS);
    streams.map(|stream| (stream.stream, stream.position)).collect()
}

both_stores! {
    async fn what_was_sold_while_it_was_away_is_told_once_when_it_is_back(database: Database) {
        let mut server = ClickHouse::start();
        let around = Surroundings::open(database).await.keeping_sales_in(server.database());
        let mut running = around.start().await;
        let received = Allocation { sku: "TEA".to_owned(), location: "main".to_owned(), quantity: 24 };
        around.inventory.say("TEA", StockReceived { received: Some(received) }).await;
        sell(&around, &ORDERS[..3]).await;
        eventually_told(&around, &running, &ORDERS[..3]).await;

        let paused = server.pause();
        is_told_nothing(&around, &running, "ClickHouse does not answer in time").await;
        let order_id = sell(&around, &ORDERS[3..4]).await;
        nobody_else_notices(&around, &running, &order_id).await;
        drop(paused);
        server.stop();
        is_told_nothing(&around, &running, "ClickHouse cannot be reached").await;
        let order_id = sell(&around, &ORDERS[4..5]).await;
        nobody_else_notices(&around, &running, &order_id).await;
        // Nor does it have to be there when the service starts.
        running.stop();
        running.wait().await.unwrap();
        let running = around.start().await;
        is_told_nothing(&around, &running, "ClickHouse cannot be reached").await;

        server.start_again();
        sell(&around, &ORDERS[5..]).await;
        eventually_told(&around, &running, &ORDERS).await;
        // Cups, pots and tea.
        let expected = (vec![6, 6, 4, 4, 0, 0], vec![-4, -4, 16]);
        eventually_counted(&around, &running, &expected).await;

        around.rebuild(&running, FACTS).await;
        eventually_told(&around, &running, &ORDERS).await;
        eventually_counted(&around, &running, &expected).await;
        // It goes on in the slot that was built.
        sell(&around, &ORDERS[..1]).await;
        eventually_told(&around, &running, &[&ORDERS[..], &ORDERS[..1]].concat()).await;
    }

    async fn what_can_be_no_fact_waits_in_quarantine_and_nothing_else_does(database: Database) {
        let url = ClickHouse::shared().database();
        let (_, name) = url.rsplit_once('/').unwrap();
        let reached_of = format!("SELECT DISTINCT step FROM {name}.order_reached WHERE toString(order_id) = ");
        let around = Surroundings::open(database).await.keeping_sales_in(url.clone());
        let running = around.start().await;
        let order_id = Uuid::now_v7().to_string();
        let unit_price = Some(Money { currency: "GBP".to_owned(), minor: i64::MAX });
        let lines = vec![PricedLine { quantity: 2, unit_price, ..Default::default() }];
        around.ordering.say(&order_id, OrderPlaced { order_id: order_id.clone(), lines, ..Default::default() }).await;
        around.ordering.say(&order_id, OrderStockConfirmed { order_id: order_id.clone(), ..Default::default() }).await;
        sell(&around, &ORDERS[..2]).await;
        eventually_told(&around, &running, &ORDERS[..2]).await;
        let found = eventually(DEADLINE, "the order is in quarantine", async || {
            let parked = parked(&around, &running).await;
            if parked.len() == 1 { Ok(parked) } else { Err(parked) }
        })
        .await;
        let (stream, position) = found[0].clone();
        let (consumer, source) = (FACTS.to_owned(), "ordering".to_owned());
        let replay = ReplayParkedStreamRequest { consumer: consumer.clone(), source: source.clone(), stream: stream.clone(), dry_run: true };
        let tried = around.consumers(&running).replay_parked_stream(replay.clone()).await.unwrap().into_inner().events;
        assert_eq!(tried.len(), 1, "it fails as it did: {tried:?}");
        let reason = "no order costs that much".to_owned();
        let discard = DiscardParkedEventRequest { consumer, source, stream, position, reason, dry_run: false };
        around.consumers(&running).discard_parked_event(discard).await.unwrap();
        let replay = ReplayParkedStreamRequest { dry_run: false, ..replay };
        around.consumers(&running).replay_parked_stream(replay).await.unwrap();
        assert_eq!(parked(&around, &running).await, []);
        // What waited behind it was written as it was replayed, and what follows is written again as it is read.
        let of_order = format!("{reached_of}'{order_id}' ORDER BY step");
        assert_eq!(ClickHouse::shared().run(&of_order), "2\n");
        around.ordering.say(&order_id, OrderPaid { order_id: order_id.clone(), ..Default::default() }).await;
        eventually(DEADLINE, "it is written", async || ClickHouse::shared().run(&of_order) == "2\n3\n").await;
        eventually_told(&around, &running, &ORDERS[..2]).await;
    }
}

#[test]
fn a_setting_that_is_no_address_is_refused_and_not_repeated() {
    tradewind_testing::block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let refused = around.refused("clickhouse", "http://shop:secret@clickhouse").await;
        assert!(refused.starts_with("TRADEWIND_CLICKHOUSE") && !refused.contains("secret"), "{refused}");
        let refused = around.refused("clickhouse_timeout", "11s").await;
        assert!(refused.starts_with("TRADEWIND_CLICKHOUSE_TIMEOUT"), "{refused}");
    });
}
