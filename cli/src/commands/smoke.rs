//! `tradewind smoke`: one order through the whole shop.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use contracts::tradewind::catalog::v1::{CreateProductRequest, Product};
use contracts::tradewind::inventory::v1::ReceiveStockRequest;
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{Order, OrderLine, OrderStatus, PlaceOrderRequest};
use tonic::{Code, Status};

use super::order::{new_request_id, recipient, status};
use crate::Global;
use crate::clients;
use crate::front::Front;
use crate::output::{complain, explain, say};
use crate::watch::Watch;
use shop::Clients;

/// The product that is ordered.
const PRODUCT: &str = "smoke-test";
/// Between two tries of a call.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The card the order is paid with.
    #[arg(long, default_value = "tok_ok")]
    payment_token: String,
    /// How long all of it may take; a service that is not there is tried again for as long.
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration)]
    within: Duration,
    /// Look at the product through the gateway here, too.
    #[arg(long, value_name = "URL")]
    gateway: Option<String>,
}

pub(crate) async fn run(global: Global, args: Args) -> Result<ExitCode> {
    let shop = clients::asked(&global)?;
    let limit = args.within;
    let order = tokio::time::timeout(limit, play(&shop, args))
        .await
        .with_context(|| format!("not settled within {}", humantime::format_duration(limit)))??;
    let (id, status) = (&order.order_id, status(&order));
    ensure!(order.status() == OrderStatus::Confirmed, "order {id} is {status}: {}", order.cancellation_detail);
    say!("order {id} is {status}")?;
    Ok(ExitCode::SUCCESS)
}

async fn play(shop: &Clients, args: Args) -> Result<Order> {
    let after = list(shop).await?;
    if let Some(url) = &args.gateway {
        is_seen(&Front::to_look_at(url)?).await;
    }
    let (sku, location) = (PRODUCT.to_ascii_uppercase(), "main".to_owned());
    let received = ReceiveStockRequest { request_id: new_request_id(), sku, location, quantity: 1 };
    let mut inventory = shop.inventory()?;
    answered("inventory", async || inventory.receive_stock(received.clone()).await).await?;
    let request = PlaceOrderRequest {
        request_id: new_request_id(),
        customer_id: PRODUCT.to_owned(),
        recipient: Some(recipient("10115")),
        lines: vec![OrderLine { product_id: PRODUCT.to_owned(), quantity: 1 }],
        payment_token: args.payment_token,
        after,
        settle_within: Some(args.within.try_into()?),
        ..PlaceOrderRequest::default()
    };
    let mut ordering = shop.ordering()?;
    let placed = answered("ordering", async || ordering.place_order(request.clone()).await).await?.into_inner().order;
    let id = placed.context("a placed order without an order")?.order_id;
    Ok(answered("ordering", async || Watch::new(shop, &id).settled().await).await?)
}

/// Lists the product; returns what the order has to wait for, which is nothing where it was listed long ago.
async fn list(shop: &Clients) -> Result<Vec<String>> {
    let product = Product {
        product_id: PRODUCT.to_owned(),
        sku: PRODUCT.to_ascii_uppercase(),
        name: "Smoke test".to_owned(),
        price: Some(Money { currency: "GBP".to_owned(), minor: 100 }),
        ..Product::default()
    };
    let request = CreateProductRequest { request_id: PRODUCT.to_owned(), product: Some(product) };
    let mut catalog = shop.catalog()?;
    match answered("catalog", async || catalog.create_product(request.clone()).await).await {
        Ok(listed) => Ok(vec![listed.into_inner().position]),
        Err(status) if status.code() == Code::AlreadyExists => Ok(Vec::new()),
        Err(status) => Err(status.into()),
    }
}

/// Waits until somebody outside sees the product.
async fn is_seen(front: &Front) {
    let mut said = String::new();
    while let Err(error) = front.get(&format!("/v1/products/{PRODUCT}")).await {
        let text = explain(&error);
        if text != said {
            complain(&format!("tradewind: tries the gateway again: {text}"));
            said = text;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What a service answers, which may not be there yet: a cluster lets a new pod through to others only a while after it started.
/// Every call here may be made twice.
async fn answered<T>(service: &str, mut call: impl AsyncFnMut() -> Result<T, Status>) -> Result<T, Status> {
    let mut said = String::new();
    loop {
        match call().await {
            Err(status) if matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded) => {
                if status.message() != said {
                    status.message().clone_into(&mut said);
                    complain(&format!("tradewind: tries {service} again: {said}"));
                }
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}
