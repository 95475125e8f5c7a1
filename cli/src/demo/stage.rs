//! What a scenario can do: stock the shop, place and follow orders, look at the outside world's
//! statements, and make things crash.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use books::{CardEntry, Sources, Statements};
use contracts::tradewind::catalog::v1::{CreateProductRequest, Product};
use contracts::tradewind::inventory::v1::{GetStockRequest, ReceiveStockRequest};
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{Order, OrderLine, OrderStatus, PlaceOrderRequest};

use super::patiently;
use crate::clients;
use crate::commands::order::{new_request_id, recipient, status};
use crate::front::Front;
use crate::local::System;
use crate::watch::Watch;
use shop::Clients;

/// Who orders.
const CUSTOMER: &str = "demo";

/// The system, seen by the operator and by a customer behind the gateway.
pub(crate) struct Stage<'a> {
    system: &'a System,
    shop: Clients,
    gateway: Clients,
    front: Front,
    outside: Statements,
}

/// A product that was made for one scenario.
pub(crate) struct Ware {
    /// Its id.
    pub(crate) product_id: String,
    /// Its SKU.
    pub(crate) sku: String,
    /// What one unit costs, in pence.
    pub(crate) price: i64,
    /// Token of the listing: an order that waits for it knows the product.
    pub(crate) position: String,
}

impl<'a> Stage<'a> {
    /// The stage over a running system.
    pub(crate) fn new(system: &'a System) -> Result<Self> {
        let shop = clients::of(system.layout(), "operator")?;
        let gateway = clients::of(system.layout(), "gateway")?.speaking_for(CUSTOMER);
        let front = Front::at(&system.layout().gateway_url())?;
        let outside = Statements::at(system.layout().outside_url())?;
        Ok(Self { system, shop, gateway, front, outside })
    }

    /// The shop as the operator sees it.
    pub(crate) fn shop(&self) -> &Clients {
        &self.shop
    }

    /// The shop as the customer sees it.
    pub(crate) fn gateway(&self) -> &Clients {
        &self.gateway
    }

    /// The shop as somebody outside sees it, who has not signed in.
    pub(crate) fn front(&self) -> &Front {
        &self.front
    }

    /// Where the outside world shows what was mailed.
    pub(crate) fn outside_url(&self) -> String {
        self.system.layout().outside_url()
    }

    /// What it all comes to.
    pub(crate) fn books(&self) -> Sources {
        Sources::new(self.shop.channels().clone(), self.outside.clone())
    }

    /// The processes.
    pub(crate) fn system(&self) -> &System {
        self.system
    }

    /// Lists a product at `price` pence and receives `units` of it.
    pub(crate) async fn ware(&self, product_id: &str, price: i64, units: i64) -> Result<Ware> {
        let sku = product_id.to_ascii_uppercase();
        let product = Product {
            product_id: product_id.to_owned(),
            sku: sku.clone(),
            name: product_id.replace('-', " "),
            price: Some(pence(price)),
            ..Product::default()
        };
        let request = CreateProductRequest { request_id: new_request_id(), product: Some(product) };
        let position = self.shop.catalog()?.create_product(request).await?.into_inner().position;
        if units > 0 {
            let request = ReceiveStockRequest {
                request_id: new_request_id(),
                sku: sku.clone(),
                location: "main".to_owned(),
                quantity: units,
            };
            self.shop.inventory()?.receive_stock(request).await?;
        }
        Ok(Ware { product_id: product_id.to_owned(), sku, price, position })
    }

    /// Places an order as the operator.
    pub(crate) async fn place(&self, request: PlaceOrderRequest) -> Result<Order> {
        let response = self.shop.ordering()?.place_order(request).await?.into_inner();
        response.order.context("a placed order without an order")
    }

    /// Follows an order until the stream says that it is settled. Survives a service that restarts.
    pub(crate) async fn settled(&self, order_id: &str) -> Result<Order> {
        Ok(patiently(|| Watch::new(&self.shop, order_id).settled()).await?)
    }

    /// Places an order and follows it until it is settled as `expected`.
    pub(crate) async fn settles_as(&self, request: PlaceOrderRequest, expected: OrderStatus) -> Result<Order> {
        let placed = self.place(request).await?;
        let order = self.settled(&placed.order_id).await?;
        ensure!(order.status() == expected, "the order is {}: {}", status(&order), order.cancellation_detail);
        Ok(order)
    }

    /// Waits until the order is as far as `expected`.
    pub(crate) async fn reaches(&self, order_id: &str, expected: OrderStatus) -> Result<Order> {
        loop {
            let request =
                contracts::tradewind::ordering::v1::GetOrderRequest { order_id: order_id.to_owned(), as_of: None };
            let order = self.shop.ordering()?.get_order(request).await?.into_inner().order.context("no order")?;
            if order.status() == expected {
                return Ok(order);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Units of a SKU that can still be ordered.
    pub(crate) async fn available(&self, sku: &str) -> Result<i64> {
        let request = GetStockRequest { sku: sku.to_owned() };
        let levels = self.shop.inventory()?.get_stock(request).await?.into_inner().levels;
        Ok(levels.iter().map(|level| level.available).sum())
    }

    /// What the card provider did for an order: `capture 500`, `refund 500`, `void`, in order.
    pub(crate) async fn card(&self, order_id: &str) -> Result<Vec<String>> {
        let line = |CardEntry { kind, amount_minor, .. }: CardEntry| match kind.as_str() {
            "capture" | "refund" => format!("{kind} {amount_minor}"),
            _ => kind,
        };
        Ok(self.outside.card_of(order_id).await?.into_iter().map(line).collect())
    }

    /// The status of an order's booking on the carrier's statement.
    pub(crate) async fn booking(&self, order_id: &str) -> Result<Option<String>> {
        let bookings = self.outside.carrier().await?;
        Ok(bookings.into_iter().find(|booking| booking.order_id == order_id).map(|booking| booking.status))
    }
}

/// An order of `quantity` units of a ware, paid with a card that works, to an address that exists.
pub(crate) fn order_of(ware: &Ware, quantity: i32) -> PlaceOrderRequest {
    PlaceOrderRequest {
        request_id: new_request_id(),
        customer_id: CUSTOMER.to_owned(),
        recipient: Some(recipient("10115")),
        lines: vec![OrderLine { product_id: ware.product_id.clone(), quantity }],
        payment_token: "tok_ok".to_owned(),
        after: vec![ware.position.clone()],
        ..PlaceOrderRequest::default()
    }
}

/// An amount in pence.
pub(crate) fn pence(minor: i64) -> Money {
    Money { currency: "GBP".to_owned(), minor }
}
