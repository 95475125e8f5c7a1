//! Plays a plan: lists, stocks, places, cancels and follows every order until it is settled.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use contracts::tradewind::catalog::v1::{CreateProductRequest, Product};
use contracts::tradewind::inventory::v1::ReceiveStockRequest;
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{
    Address, CancelOrderRequest, CancellationReason, Order, OrderLine, OrderStatus, PlaceOrderRequest, Recipient,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hdrhistogram::Histogram;
use indicatif::ProgressBar;

use super::plan::{End, Listing, Plan, Planned};
use crate::output::word;
use crate::watch::Watch;
use shop::Clients;

const LOADING: usize = 64;
const LOCATION: &str = "main";
/// The most units that one receipt books in.
const ONE_RECEIPT: i64 = 1_000_000_000;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(100);
const NO_DEADLINE: prost_types::Duration = prost_types::Duration { seconds: 24 * 3600, nanos: 0 };

/// How the orders ended.
pub(crate) struct Played {
    /// Orders by planned and actual end.
    pub(crate) ends: BTreeMap<(End, String), usize>,
    /// Microseconds from placing to settled.
    pub(crate) latency: Histogram<u64>,
    /// From the first order placed to the last one settled.
    pub(crate) elapsed: Duration,
}

impl Played {
    /// Orders that did not end as planned.
    pub(crate) fn surprises(&self) -> usize {
        self.ends.iter().filter(|((planned, end), _)| end != planned.name()).map(|(_, count)| count).sum()
    }
}

impl End {
    /// The end in words, as it is reported.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::OutOfStock => "cancelled: out of stock",
            Self::CancelledByCustomer => "cancelled: customer",
        }
    }
}

/// Lists and stocks every product; returns the tokens that an order which must see them waits for.
///
/// # Errors
/// When a product is refused.
pub(crate) async fn load(shop: &Clients, products: &[Listing], progress: &ProgressBar) -> Result<Vec<String>> {
    let positions: Vec<String> = stream::iter(products)
        .map(|listing| async move {
            let position = list(shop, listing).await?;
            receive(shop, listing).await?;
            progress.inc(1);
            anyhow::Ok(position)
        })
        .buffer_unordered(LOADING)
        .try_collect()
        .await?;
    Ok(latest(positions))
}

/// The furthest token of each partition: waiting for it is waiting for all before it.
fn latest(positions: Vec<String>) -> Vec<String> {
    let mut furthest: BTreeMap<String, u64> = BTreeMap::new();
    for token in positions.iter().flat_map(|position: &String| position.split(',')) {
        if let Some((partition, position)) = token.rsplit_once(':') {
            let position: u64 = position.parse().unwrap_or_default();
            let seen = furthest.entry(partition.to_owned()).or_default();
            *seen = position.max(*seen);
        }
    }
    furthest.into_iter().map(|(partition, position)| format!("{partition}:{position}")).collect()
}

/// Lists a product, under its code where the catalogue does not take its name.
async fn list(shop: &Clients, listing: &Listing) -> Result<String> {
    match list_as(shop, listing, &listing.name).await {
        Err(status) if status.code() == tonic::Code::InvalidArgument => Ok(list_as(shop, listing, &listing.sku).await?),
        other => Ok(other?),
    }
}

async fn list_as(shop: &Clients, listing: &Listing, name: &str) -> Result<String, tonic::Status> {
    let product = Product {
        product_id: listing.product_id.clone(),
        sku: listing.sku.clone(),
        name: name.to_owned(),
        price: Some(Money { currency: "GBP".to_owned(), minor: listing.pence }),
        ..Product::default()
    };
    let request = CreateProductRequest { request_id: format!("list-{}", listing.product_id), product: Some(product) };
    let catalog = shop.catalog().map_err(|error| tonic::Status::internal(error.to_string()))?;
    let listed = answered(async || catalog.clone().create_product(request.clone()).await).await?;
    Ok(listed.into_inner().position)
}

async fn receive(shop: &Clients, listing: &Listing) -> Result<()> {
    let mut left = listing.stock;
    while left > 0 {
        let request = ReceiveStockRequest {
            request_id: format!("receive-{}-{left}", listing.product_id),
            sku: listing.sku.clone(),
            location: LOCATION.to_owned(),
            quantity: left.min(ONE_RECEIPT),
        };
        let inventory = shop.inventory()?;
        answered(async || inventory.clone().receive_stock(request.clone()).await).await?;
        left -= ONE_RECEIPT;
    }
    Ok(())
}

/// Places every order, `in_flight` at a time, by one of `shops` after the other, cancels those that come back, and waits until each is
/// settled.
///
/// # Errors
/// When an order cannot be followed.
pub(crate) async fn play(
    shops: &[Clients],
    plan: &Plan,
    after: &[String],
    in_flight: usize,
    progress: &ProgressBar,
) -> Result<Played> {
    let latency = Mutex::new(Histogram::<u64>::new_with_max(3_600_000_000, 3)?);
    let started = Instant::now();
    let ends: Vec<(End, String)> = stream::iter(plan.orders.iter().zip(shops.iter().cycle()))
        .map(|(planned, shop)| async {
            let placed_at = Instant::now();
            let order_id = match place(shop, planned, after).await? {
                Ok(order_id) => order_id,
                Err(refused) => {
                    progress.inc(1);
                    return Ok((planned.end, refused));
                }
            };
            let mut order = settled(shop, &order_id).await?;
            let micros = u64::try_from(placed_at.elapsed().as_micros())?;
            latency.lock().map_err(|_| anyhow::anyhow!("a measurement panicked"))?.record(micros)?;
            if planned.end == End::CancelledByCustomer && order.status() == OrderStatus::Confirmed {
                shop.ordering()?.cancel_order(CancelOrderRequest { order_id: order_id.clone() }).await?;
                order = settled(shop, &order_id).await?;
            }
            progress.inc(1);
            anyhow::Ok((planned.end, end_of(&order)))
        })
        .buffer_unordered(in_flight)
        .try_collect()
        .await?;
    let elapsed = started.elapsed();
    let mut counted: BTreeMap<(End, String), usize> = BTreeMap::new();
    for end in ends {
        *counted.entry(end).or_default() += 1;
    }
    let latency = latency.into_inner().map_err(|_| anyhow::anyhow!("a measurement panicked"))?;
    Ok(Played { ends: counted, latency, elapsed })
}

/// Places one order; the invoice's number makes trying again harmless. Returns its id, or how it was refused.
async fn place(shop: &Clients, planned: &Planned, after: &[String]) -> Result<Result<String, String>> {
    let request = PlaceOrderRequest {
        request_id: format!("invoice-{}", planned.invoice),
        customer_id: planned.customer.clone(),
        recipient: Some(recipient(planned)),
        lines: planned
            .lines
            .iter()
            .map(|(product_id, quantity)| OrderLine { product_id: product_id.clone(), quantity: *quantity })
            .collect(),
        payment_token: "tok_ok".to_owned(),
        after: after.to_vec(),
        settle_within: Some(NO_DEADLINE),
        ..PlaceOrderRequest::default()
    };
    let ordering = shop.ordering()?;
    match answered(async || ordering.clone().place_order(request.clone()).await).await {
        Ok(response) => Ok(Ok(response.into_inner().order.context("a placed order without an order")?.order_id)),
        // One invoice that is refused says nothing about the others.
        Err(status) if status.code() == tonic::Code::InvalidArgument => {
            let reason = tradewind_mesh::reason(&status).unwrap_or_default();
            Ok(Err(format!("refused: {reason}")))
        }
        Err(status) => Err(status).with_context(|| format!("invoice {}", planned.invoice)),
    }
}

async fn settled(shop: &Clients, order_id: &str) -> Result<Order> {
    let settled = answered(async || Watch::new(shop, order_id).settled().await).await;
    settled.with_context(|| format!("order {order_id}"))
}

/// Repeats a call while its failure is one that passes: the id of its request makes that harmless.
async fn answered<T>(call: impl AsyncFn() -> Result<T, tonic::Status>) -> Result<T, tonic::Status> {
    loop {
        match call().await {
            Err(status) if is_passing(&status) => tokio::time::sleep(TRY_AGAIN_AFTER).await,
            answer => return answer,
        }
    }
}

fn is_passing(status: &tonic::Status) -> bool {
    matches!(status.code(), tonic::Code::Unavailable | tonic::Code::DeadlineExceeded | tonic::Code::Aborted)
        || tradewind_mesh::reason(status).as_deref() == Some("TOO_MANY_STREAMS")
}

fn end_of(order: &Order) -> String {
    match (order.status(), order.cancellation_reason()) {
        (OrderStatus::Confirmed, _) => End::Confirmed.name().to_owned(),
        (OrderStatus::Cancelled, CancellationReason::OutOfStock) => End::OutOfStock.name().to_owned(),
        (OrderStatus::Cancelled, CancellationReason::Customer) => End::CancelledByCustomer.name().to_owned(),
        _ => {
            let status = word(order.status, OrderStatus::as_str_name, "ORDER_STATUS_");
            let reason = word(order.cancellation_reason, CancellationReason::as_str_name, "CANCELLATION_REASON_");
            format!("{status}: {reason}").to_ascii_lowercase().replace('_', " ")
        }
    }
}

fn recipient(planned: &Planned) -> Recipient {
    Recipient {
        name: format!("Customer {}", planned.customer),
        email: format!("{}@example.org", planned.customer),
        address: Some(Address {
            line1: "1 Harbour Street".to_owned(),
            city: "Port Town".to_owned(),
            postal_code: "10115".to_owned(),
            country: planned.country.to_owned(),
        }),
    }
}
