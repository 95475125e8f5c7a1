//! What everybody says: ordering, inventory, the card provider and the carrier.

use anyhow::{Context, Result};
use contracts::tradewind::inventory::v1::{ListOpenReservationsRequest, ListStockRequest, Reservation, StockLevel};
use contracts::tradewind::ordering::v1::{ListOrdersRequest, Order};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::shop::Shop;

const PAGE: i32 = 1000;

/// One movement on the card provider's statement.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CardEntry {
    pub(crate) order_id: String,
    pub(crate) kind: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
}

/// One booking on the carrier's statement.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Booking {
    pub(crate) order_id: String,
    pub(crate) status: String,
}

#[derive(Deserialize)]
struct CardStatement {
    entries: Vec<CardEntry>,
}

#[derive(Deserialize)]
struct CarrierStatement {
    bookings: Vec<Booking>,
}

/// All the statements of one moment.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) orders: Vec<Order>,
    pub(crate) levels: Vec<StockLevel>,
    pub(crate) reservations: Vec<Reservation>,
    pub(crate) card: Vec<CardEntry>,
    pub(crate) carrier: Vec<Booking>,
}

impl Facts {
    /// Asks everybody.
    ///
    /// # Errors
    /// When somebody cannot be asked.
    pub(crate) async fn collect(shop: &Shop, outside_url: &str) -> Result<Self> {
        let card: CardStatement = statement(&format!("{outside_url}/card/statement")).await?;
        let carrier: CarrierStatement = statement(&format!("{outside_url}/carrier/statement")).await?;
        Ok(Self {
            orders: orders(shop).await?,
            levels: levels(shop).await?,
            reservations: reservations(shop).await?,
            card: card.entries,
            carrier: carrier.bookings,
        })
    }
}

async fn statement<T: DeserializeOwned>(url: &str) -> Result<T> {
    let answer =
        tradewind_runtime::direct().build()?.get(url).send().await.with_context(|| format!("cannot fetch {url}"))?;
    Ok(answer.error_for_status()?.json().await?)
}

async fn orders(shop: &Shop) -> Result<Vec<Order>> {
    let mut client = shop.ordering()?;
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListOrdersRequest { page_size: PAGE, page_token, ..ListOrdersRequest::default() };
        let page = client.list_orders(request).await?.into_inner();
        all.extend(page.orders);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}

async fn levels(shop: &Shop) -> Result<Vec<StockLevel>> {
    let mut client = shop.inventory()?;
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = client.list_stock(ListStockRequest { page_size: PAGE, page_token }).await?.into_inner();
        all.extend(page.levels);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}

async fn reservations(shop: &Shop) -> Result<Vec<Reservation>> {
    let mut client = shop.inventory()?;
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListOpenReservationsRequest { page_size: PAGE, page_token };
        let page = client.list_open_reservations(request).await?.into_inner();
        all.extend(page.reservations);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}
