//! Customers of a shop, each of whom orders one line of one product and watches until that is confirmed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use contracts::tradewind::catalog::v1::catalog_service_client::CatalogServiceClient;
use contracts::tradewind::catalog::v1::{CreateProductRequest, Product};
use contracts::tradewind::inventory::v1::ReceiveStockRequest;
use contracts::tradewind::inventory::v1::inventory_service_client::InventoryServiceClient;
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::ordering_service_client::OrderingServiceClient;
use contracts::tradewind::ordering::v1::{
    Address, OrderLine, OrderStatus, PlaceOrderRequest, Recipient, WatchOrderRequest,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tonic::{Code, Status};
use tradewind_mesh::Channels;

use crate::shop::Shop;

const PRODUCTS: u64 = 500;
const LISTING: usize = 32;
/// Customers on one connection, fewer than the streams that a service lets one have.
const ON_A_CONNECTION: usize = 50;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(50);
const PASSING: [Code; 4] = [Code::Unavailable, Code::ResourceExhausted, Code::DeadlineExceeded, Code::NotFound];
const PATIENCE: Duration = Duration::from_secs(60);

/// An order that was confirmed.
#[derive(Clone, Copy)]
pub(crate) struct Confirmed {
    pub(crate) at: Instant,
    /// Since it was placed.
    pub(crate) after: Duration,
}

/// All customers of a shop.
pub(crate) struct Customers {
    connections: Vec<Channels>,
    orders: AtomicU64,
}

impl Customers {
    /// Customers of a shop that has something to sell: so many products, each with more units than are ever ordered.
    ///
    /// # Errors
    /// When a product is refused.
    pub(crate) async fn of(shop: &Shop, most: usize) -> Result<Self> {
        let connections = (0..most.div_ceil(ON_A_CONNECTION)).map(|_| shop.channels()).collect::<Result<Vec<_>>>()?;
        let customers = Self { connections, orders: AtomicU64::new(0) };
        let listed = stream::iter(0..PRODUCTS).map(|product| customers.list(product)).buffer_unordered(LISTING);
        listed.try_for_each(|()| std::future::ready(Ok(()))).await?;
        Ok(customers)
    }

    async fn list(&self, product: u64) -> Result<()> {
        let channels = &self.connections[0];
        let (name, sku) = (format!("product-{product}"), format!("SKU-{product}"));
        let price = Some(Money { currency: "GBP".to_owned(), minor: 100 + i64::try_from(product)? });
        let listed =
            Product { product_id: name.clone(), sku: sku.clone(), name: name.clone(), price, ..Product::default() };
        let request = CreateProductRequest { request_id: format!("list-{name}"), product: Some(listed) };
        CatalogServiceClient::new(channels.to("catalog")?).create_product(request).await?;
        let request = ReceiveStockRequest {
            request_id: format!("receive-{name}"),
            sku,
            location: "main".to_owned(),
            quantity: 1_000_000_000,
        };
        InventoryServiceClient::new(channels.to("inventory")?).receive_stock(request).await?;
        Ok(())
    }

    /// One customer orders after the other, each as soon as the one before is served, `in_flight` at a time, until it is `enough`.
    ///
    /// # Errors
    /// When an order is not confirmed.
    pub(crate) async fn keep_ordering(&self, in_flight: usize, enough: &AtomicBool) -> Result<Vec<Confirmed>> {
        let one = async |_| {
            let mut confirmed = Vec::new();
            while !enough.load(Ordering::Relaxed) {
                confirmed.push(self.order().await?);
            }
            anyhow::Ok(confirmed)
        };
        let all: Vec<Vec<Confirmed>> = futures::future::try_join_all((0..in_flight).map(one)).await?;
        Ok(all.concat())
    }

    /// Orders once, and returns when the order is confirmed.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) async fn order(&self) -> Result<Confirmed> {
        let number = self.orders.fetch_add(1, Ordering::Relaxed);
        let connection = &self.connections[usize::try_from(number)? % self.connections.len()];
        let ordering = OrderingServiceClient::new(connection.to("ordering")?);
        let request = order(number);
        let placed_at = Instant::now();
        let placed = patiently(async || ordering.clone().place_order(request.clone()).await).await?;
        let order_id = placed.into_inner().order.context("a placed order without an order")?.order_id;
        let watched = patiently(async || {
            let request = WatchOrderRequest { order_id: order_id.clone() };
            let mut shown = ordering.clone().watch_order(request).await?.into_inner();
            let mut last = None;
            while let Some(change) = shown.message().await? {
                last = change.order.map(|order| (Instant::now(), order.status()));
            }
            last.ok_or_else(|| Status::internal("no order was shown"))
        });
        let (at, status) = watched.await.with_context(|| format!("order {order_id} is watched"))?;
        ensure!(status == OrderStatus::Confirmed, "order {order_id} ended {status:?}");
        Ok(Confirmed { at, after: at - placed_at })
    }
}

/// Repeats a call that a busy service has refused, or one that has not heard of what was just listed; its request's id makes that
/// harmless.
async fn patiently<T>(call: impl AsyncFn() -> Result<T, Status>) -> Result<T, Status> {
    let since = Instant::now();
    loop {
        match call().await {
            Err(status) if since.elapsed() < PATIENCE && PASSING.contains(&status.code()) => {
                tokio::time::sleep(TRY_AGAIN_AFTER).await;
            }
            answer => return answer,
        }
    }
}

fn order(number: u64) -> PlaceOrderRequest {
    let customer_id = format!("customer-{number}");
    let address = Address {
        line1: "1 High Street".to_owned(),
        city: "Leeds".to_owned(),
        postal_code: "LS1 4AP".to_owned(),
        country: "GB".to_owned(),
    };
    let recipient = Recipient {
        name: "A. Customer".to_owned(),
        email: format!("{customer_id}@example.com"),
        address: Some(address),
    };
    PlaceOrderRequest {
        request_id: format!("order-{number}"),
        customer_id,
        recipient: Some(recipient),
        lines: vec![OrderLine { product_id: format!("product-{}", number * 31 % PRODUCTS), quantity: 1 }],
        payment_token: "tok_ok".to_owned(),
        ..PlaceOrderRequest::default()
    }
}
