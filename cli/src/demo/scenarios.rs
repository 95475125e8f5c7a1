//! The scenarios in which nothing crashes: every way an order can end.

use anyhow::{Result, ensure};
use contracts::tradewind::ordering::v1::{CancelOrderRequest, CancellationReason, OrderLine, OrderStatus};
use contracts::tradewind::shipping::v1::{DeliverShipmentRequest, DispatchShipmentRequest};
use futures::FutureExt as _;

use super::stage::{Stage, order_of};
use super::{Played, Scenario, crashes, faults, front, refusals};
use crate::commands::order::recipient;

/// Every scenario, in the order in which they are played.
pub(crate) fn all() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "confirmed",
            expected: "reserved, charged once, booked: CONFIRMED",
            play: |stage| confirmed(stage).boxed(),
        },
        Scenario {
            name: "out of stock",
            expected: "CANCELLED, every short line named, nothing charged",
            play: |stage| out_of_stock(stage).boxed(),
        },
        Scenario {
            name: "card declined",
            expected: "CANCELLED, nothing charged, stock released",
            play: |stage| card_declined(stage).boxed(),
        },
        Scenario {
            name: "address nobody delivers to",
            expected: "CANCELLED, refunded once, stock released",
            play: |stage| undeliverable(stage).boxed(),
        },
        Scenario {
            name: "customer cancels before dispatch",
            expected: "CANCELLED, shipment cancelled, refunded once, stock released",
            play: |stage| cancelled_before_dispatch(stage).boxed(),
        },
        Scenario {
            name: "customer cancels after dispatch",
            expected: "refused with ALREADY_SHIPPED; the order is delivered",
            play: |stage| cancelled_after_dispatch(stage).boxed(),
        },
        Scenario {
            name: "provider never answers",
            expected: "CANCELLED at its deadline, the charge voided, nothing left behind",
            play: |stage| provider_never_answers(stage).boxed(),
        },
        Scenario {
            name: "same request twice",
            expected: "one order; another workload with the same request_id gets another",
            play: |stage| refusals::same_request_twice(stage).boxed(),
        },
        Scenario {
            name: "price changed",
            expected: "refused with PRICE_CHANGED, nothing placed",
            play: |stage| refusals::price_changed(stage).boxed(),
        },
        Scenario {
            name: "signed up at the front door",
            expected: "no account before the mailed code is entered; then signed in, without a certificate",
            play: |stage| front::signed_up(stage).boxed(),
        },
        Scenario {
            name: "ordered by REST and followed by events",
            expected: "one order for one Idempotency-Key, followed until it is CONFIRMED",
            play: |stage| front::ordered(stage).boxed(),
        },
        Scenario {
            name: "another customer's order",
            expected: "404, as of an order that never was; 401 without a token",
            play: |stage| front::somebody_elses(stage).boxed(),
        },
        Scenario {
            name: "stolen refresh token",
            expected: "refused to the thief, and its session ended for its owner as well",
            play: |stage| front::stolen(stage).boxed(),
        },
        Scenario {
            name: "passwords guessed",
            expected: "a few are looked at, then 429 with Retry-After",
            play: |stage| front::guessed(stage).boxed(),
        },
        Scenario {
            name: "half of the calls fail",
            expected: "one order, CONFIRMED, charged once",
            play: |stage| faults::half_of_the_calls_fail(stage).boxed(),
        },
        Scenario {
            name: "payment killed while charging",
            expected: "CONFIRMED, charged once",
            play: |stage| crashes::payment_killed(stage).boxed(),
        },
        Scenario {
            name: "broker killed mid-order",
            expected: "CONFIRMED, charged once",
            play: |stage| crashes::broker_killed(stage).boxed(),
        },
    ]
}

async fn confirmed(stage: &Stage<'_>) -> Result<Played> {
    let tea = stage.ware("green-tea", 450, 10).await?;
    let order = stage.settles_as(order_of(&tea, 2), OrderStatus::Confirmed).await?;
    let card = stage.card(&order.order_id).await?;
    ensure!(card == ["capture 900"], "the provider says {card:?}");
    let available = stage.available(&tea.sku).await?;
    ensure!(available == 8, "{available} units are available");
    let happened = format!("CONFIRMED, {card:?}, 2 of 10 units reserved, tracking {}", order.tracking);
    Ok(Played { orders: vec![order.order_id], happened })
}

async fn out_of_stock(stage: &Stage<'_>) -> Result<Played> {
    let lamp = stage.ware("desk-lamp", 2900, 1).await?;
    let chair = stage.ware("oak-chair", 8900, 0).await?;
    let mug = stage.ware("blue-mug", 700, 50).await?;
    let mut request = order_of(&lamp, 3);
    for ware in [&chair, &mug] {
        request.lines.push(OrderLine { product_id: ware.product_id.clone(), quantity: 2 });
        request.after.push(ware.position.clone());
    }
    let order = stage.settles_as(request, OrderStatus::Cancelled).await?;
    ensure!(
        order.cancellation_reason() == CancellationReason::OutOfStock,
        "cancelled for {:?}",
        order.cancellation_reason()
    );
    let mut short: Vec<_> =
        order.short_lines.iter().map(|line| format!("{} {}/{}", line.sku, line.available, line.requested)).collect();
    short.sort();
    ensure!(short == ["DESK-LAMP 1/3", "OAK-CHAIR 0/2"], "short lines are {short:?}");
    let card = stage.card(&order.order_id).await?;
    ensure!(card.is_empty(), "the provider says {card:?}");
    Ok(Played {
        orders: vec![order.order_id],
        happened: format!("CANCELLED, short: {}, nothing charged", short.join(", ")),
    })
}

async fn card_declined(stage: &Stage<'_>) -> Result<Played> {
    let vase = stage.ware("glass-vase", 3500, 4).await?;
    let request = contracts::tradewind::ordering::v1::PlaceOrderRequest {
        payment_token: "tok_declined".to_owned(),
        ..order_of(&vase, 4)
    };
    let order = stage.settles_as(request, OrderStatus::Cancelled).await?;
    ensure!(order.cancellation_reason() == CancellationReason::PaymentDeclined, "{:?}", order.cancellation_reason());
    let available = stage.available(&vase.sku).await?;
    ensure!(available == 4, "{available} of 4 units are available");
    let card = stage.card(&order.order_id).await?;
    ensure!(card.iter().all(|entry| entry == "decline"), "the provider says {card:?}");
    let happened = format!("CANCELLED ({}), 4 of 4 units available again", order.cancellation_detail);
    Ok(Played { orders: vec![order.order_id], happened })
}

async fn undeliverable(stage: &Stage<'_>) -> Result<Played> {
    let rug = stage.ware("wool-rug", 12_000, 3).await?;
    let request = contracts::tradewind::ordering::v1::PlaceOrderRequest {
        recipient: Some(recipient("99999")),
        ..order_of(&rug, 1)
    };
    let order = stage.settles_as(request, OrderStatus::Cancelled).await?;
    ensure!(order.cancellation_reason() == CancellationReason::ShipmentRejected, "{:?}", order.cancellation_reason());
    let card = stage.card(&order.order_id).await?;
    ensure!(card == ["capture 12000", "refund 12000"], "the provider says {card:?}");
    let available = stage.available(&rug.sku).await?;
    ensure!(available == 3, "{available} of 3 units are available");
    let happened = format!("CANCELLED ({}), {card:?}, 3 of 3 units available again", order.cancellation_detail);
    Ok(Played { orders: vec![order.order_id], happened })
}

async fn cancelled_before_dispatch(stage: &Stage<'_>) -> Result<Played> {
    let clock = stage.ware("wall-clock", 5500, 2).await?;
    let order = stage.settles_as(order_of(&clock, 2), OrderStatus::Confirmed).await?;
    let order_id = order.order_id;
    stage.shop().ordering()?.cancel_order(CancelOrderRequest { order_id: order_id.clone() }).await?;
    let order = stage.settled(&order_id).await?;
    ensure!(order.status() == OrderStatus::Cancelled, "the order is {}", crate::commands::order::status(&order));
    let card = stage.card(&order_id).await?;
    ensure!(card == ["capture 11000", "refund 11000"], "the provider says {card:?}");
    let booking = stage.booking(&order_id).await?;
    ensure!(booking.as_deref() == Some("cancelled"), "the carrier says {booking:?}");
    let available = stage.available(&clock.sku).await?;
    ensure!(available == 2, "{available} of 2 units are available");
    let happened = format!("CANCELLED, booking cancelled, {card:?}, 2 of 2 units available again");
    Ok(Played { orders: vec![order_id], happened })
}

async fn cancelled_after_dispatch(stage: &Stage<'_>) -> Result<Played> {
    let kettle = stage.ware("steel-kettle", 4200, 1).await?;
    let order = stage.settles_as(order_of(&kettle, 1), OrderStatus::Confirmed).await?;
    let order_id = order.order_id;
    dispatch(stage, &order_id).await?;
    stage.reaches(&order_id, OrderStatus::Shipped).await?;
    let refusal = stage.shop().ordering()?.cancel_order(CancelOrderRequest { order_id: order_id.clone() }).await;
    let refused = refusals::reason_of(refusal)?;
    ensure!(refused == "FAILED_PRECONDITION ALREADY_SHIPPED", "the answer was {refused}");
    stage.shop().shipping()?.deliver_shipment(DeliverShipmentRequest { order_id: order_id.clone() }).await?;
    stage.reaches(&order_id, OrderStatus::Delivered).await?;
    Ok(Played { orders: vec![order_id], happened: format!("{refused}; DELIVERED") })
}

/// Dispatches as soon as shipping has heard that the order is confirmed.
async fn dispatch(stage: &Stage<'_>, order_id: &str) -> Result<()> {
    loop {
        let request = DispatchShipmentRequest { order_id: order_id.to_owned() };
        match stage.shop().shipping()?.dispatch_shipment(request).await {
            Ok(_) => return Ok(()),
            Err(status) if status.code() == tonic::Code::FailedPrecondition => {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            Err(status) => return Err(status.into()),
        }
    }
}

async fn provider_never_answers(stage: &Stage<'_>) -> Result<Played> {
    let radio = stage.ware("old-radio", 7700, 1).await?;
    let request = contracts::tradewind::ordering::v1::PlaceOrderRequest {
        payment_token: "tok_timeout".to_owned(),
        settle_within: Some(prost_types::Duration { seconds: 3, nanos: 0 }),
        ..order_of(&radio, 1)
    };
    let order = stage.settles_as(request, OrderStatus::Cancelled).await?;
    ensure!(order.cancellation_reason() == CancellationReason::Deadline, "{:?}", order.cancellation_reason());
    let card = stage.card(&order.order_id).await?;
    ensure!(card == ["void"], "the provider says {card:?}");
    let available = stage.available(&radio.sku).await?;
    ensure!(available == 1, "{available} of 1 unit is available");
    Ok(Played {
        orders: vec![order.order_id],
        happened: "CANCELLED at its deadline, voided, 1 of 1 unit available again".to_owned(),
    })
}
