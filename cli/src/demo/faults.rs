//! The scenario in which calls fail because an operator has asked for it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::tradewind::mesh::v1::{ClearFaultsRequest, ListFaultsRequest, SetFaultRequest};
use contracts::tradewind::ordering::v1::{GetOrderRequest, Order, OrderStatus, PlaceOrderRequest};
use tonic::{Code, Status};

use super::Played;
use super::stage::{Stage, order_of};

const PAUSE: Duration = Duration::from_millis(100);

/// Half of the calls of ordering fail. What may be repeated is, and whoever is turned away comes again with the same request.
pub(crate) async fn half_of_the_calls_fail(stage: &Stage<'_>) -> Result<Played> {
    let teapot = stage.ware("iron-teapot", 5200, 3).await?;
    let fault = SetFaultRequest {
        method: "tradewind.ordering.v1.OrderingService/*".to_owned(),
        percent: Some(50),
        abort: "UNAVAILABLE".to_owned(),
        lasts: Some(prost_types::Duration { seconds: 60, nanos: 0 }),
        ..SetFaultRequest::default()
    };
    stage.shop().mesh_of("ordering")?.set_fault(fault).await?;
    let settled = settled_among_faults(stage, order_of(&teapot, 1)).await;
    // Whatever came of it, the scenarios that follow have no faults.
    let cleared = stage.shop().mesh_of("ordering")?.clear_faults(ClearFaultsRequest::default()).await?.into_inner();
    let (order, failed) = (settled?, cleared.faults.iter().map(|fault| fault.injected).sum::<u64>());
    is_well_again(stage, &order.order_id).await?;
    ensure!(order.status() == OrderStatus::Confirmed, "the order is {}", crate::commands::order::status(&order));
    let card = stage.card(&order.order_id).await?;
    ensure!(card == ["capture 5200"], "the provider says {card:?}");
    let available = stage.available(&teapot.sku).await?;
    ensure!(available == 2, "{available} of 3 units are available");
    let happened = format!("{failed} calls of ordering failed; CONFIRMED, {card:?}, 1 of 3 units reserved");
    Ok(Played { orders: vec![order.order_id], happened })
}

/// Places an order and follows it until it is settled, and sees at least one call fail.
async fn settled_among_faults(stage: &Stage<'_>, request: PlaceOrderRequest) -> Result<Order> {
    let placed = loop {
        match stage.shop().ordering()?.place_order(request.clone()).await {
            Ok(response) => break response.into_inner().order.context("a placed order without an order")?,
            Err(status) if status.code() == Code::Unavailable => tokio::time::sleep(PAUSE).await,
            Err(status) => return Err(status.into()),
        }
    };
    let order = stage.settled(&placed.order_id).await?;
    loop {
        let faults = stage.shop().mesh_of("ordering")?.list_faults(ListFaultsRequest {}).await?.into_inner().faults;
        if faults.first().context("the fault is over")?.injected > 0 {
            return Ok(order);
        }
        // All went well so far, by chance. How this one ends shows in the fault.
        drop(look(stage, &order.order_id).await);
    }
}

/// Waits until ordering is asked again, if it was left alone because it failed.
async fn is_well_again(stage: &Stage<'_>, order_id: &str) -> Result<()> {
    loop {
        match look(stage, order_id).await? {
            Err(status) if status.code() == Code::Unavailable => tokio::time::sleep(PAUSE).await,
            answer => return Ok(answer?),
        }
    }
}

async fn look(stage: &Stage<'_>, order_id: &str) -> Result<Result<(), Status>> {
    let request = GetOrderRequest { order_id: order_id.to_owned(), as_of: None };
    Ok(stage.shop().ordering()?.get_order(request).await.map(drop))
}
