//! The scenarios in which a process is killed in the middle of an order.

use std::time::Duration;

use anyhow::{Result, ensure};
use contracts::tradewind::ordering::v1::{OrderStatus, PlaceOrderRequest};

use super::Played;
use super::stage::{Stage, order_of};

const READY_WITHIN: Duration = Duration::from_secs(30);

/// The provider captures at once but answers late; payment dies while it waits for the answer.
pub(crate) async fn payment_killed(stage: &Stage<'_>) -> Result<Played> {
    let globe = stage.ware("desk-globe", 6400, 1).await?;
    let request = PlaceOrderRequest { payment_token: "tok_slow".to_owned(), ..order_of(&globe, 1) };
    let order_id = stage.place(request).await?.order_id;
    charging(stage, &order_id).await?;
    stage.system().kill("payment");
    confirmed_once(stage, &order_id, "payment killed with SIGKILL and restarted", 6400).await
}

/// The broker dies while the provider is charging, and comes back after the answer.
pub(crate) async fn broker_killed(stage: &Stage<'_>) -> Result<Played> {
    let map = stage.ware("star-map", 3300, 1).await?;
    let request = PlaceOrderRequest { payment_token: "tok_slow".to_owned(), ..order_of(&map, 1) };
    let order_id = stage.place(request).await?.order_id;
    charging(stage, &order_id).await?;
    stage.system().halt("nats").await;
    // Long enough for the provider's answer to fall into the outage.
    tokio::time::sleep(Duration::from_secs(4)).await;
    stage.system().resume("nats").await;
    stage.system().wait_ready("nats", READY_WITHIN).await?;
    confirmed_once(stage, &order_id, "broker killed with SIGKILL and restarted", 3300).await
}

/// Waits until the provider's statement shows the charge, which is before it answers.
async fn charging(stage: &Stage<'_>, order_id: &str) -> Result<()> {
    while stage.card(order_id).await?.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn confirmed_once(stage: &Stage<'_>, order_id: &str, what: &str, amount: i64) -> Result<Played> {
    let order = stage.settled(order_id).await?;
    ensure!(order.status() == OrderStatus::Confirmed, "the order is {}", crate::commands::order::status(&order));
    let card = stage.card(order_id).await?;
    ensure!(card == [format!("capture {amount}")], "the provider says {card:?}");
    Ok(Played { orders: vec![order_id.to_owned()], happened: format!("{what}; CONFIRMED, {card:?}") })
}
