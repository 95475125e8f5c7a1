//! Who is asked: ordering, inventory and payment, as a workload that may ask them, and the outside.

use std::time::Duration;

use anyhow::{Context, Result};
use contracts::tradewind::inventory::v1::inventory_service_client::InventoryServiceClient;
use contracts::tradewind::inventory::v1::movement_service_client::MovementServiceClient;
use contracts::tradewind::inventory::v1::{
    AuditStockRequest, ListOpenReservationsRequest, ListStockDifferencesRequest, ListStockRequest, StockDifference,
    StockDifferenceState,
};
use contracts::tradewind::ordering::v1::ordering_service_client::OrderingServiceClient;
use contracts::tradewind::ordering::v1::{GetOrderRequest, ListOrdersRequest, Order};
use contracts::tradewind::payment::v1::GetBalanceRequest;
use contracts::tradewind::payment::v1::ledger_service_client::LedgerServiceClient;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::{Instant, sleep};
use tonic::Status;
use tradewind_mesh::Channels;

use crate::{Facts, Proof, Statements, prove};

/// The largest page there is.
const PAGE: i32 = 1000;
/// Orders that are asked for at once.
const AT_ONCE: usize = 16;
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// A shop and the outside that it deals with.
#[derive(Clone)]
pub struct Sources {
    channels: Channels,
    outside: Statements,
}

impl Sources {
    /// The services behind `channels`, whose workload may list orders and stock and read the ledger, and their outside.
    #[must_use]
    pub const fn new(channels: Channels, outside: Statements) -> Self {
        Self { channels, outside }
    }

    /// Proves until everything holds, for the last consequences of an order come after it is settled; what still does not hold
    /// after `limit` is in the proof.
    ///
    /// # Errors
    /// When somebody cannot be asked within `limit`.
    pub async fn settle(&self, limit: Duration) -> Result<Proof> {
        let give_up = Instant::now() + limit;
        loop {
            match self.prove().await {
                Ok(proof) if proof.holds() => return Ok(proof),
                last if Instant::now() >= give_up => return last,
                _ => sleep(AGAIN_AFTER).await,
            }
        }
    }

    /// Proves what everybody says now.
    ///
    /// # Errors
    /// When somebody cannot be asked.
    pub async fn prove(&self) -> Result<Proof> {
        let mut facts = self.collect().await?;
        let listed = prove(&facts);
        if !listed.holds() {
            return Ok(listed);
        }
        // The list may be a moment old, an order itself never is.
        facts.orders = self.themselves(&facts.orders).await?;
        facts.differences = self.audited().await.context("stock cannot be audited")?;
        Ok(prove(&facts))
    }

    /// What everybody says now, orders as their list has them.
    async fn collect(&self) -> Result<Facts> {
        let ordering = OrderingServiceClient::new(self.channels.to("ordering")?);
        let inventory = InventoryServiceClient::new(self.channels.to("inventory")?);
        let orders = every(async |page_token| {
            let request = ListOrdersRequest { page_size: PAGE, page_token, ..ListOrdersRequest::default() };
            let page = ordering.clone().list_orders(request).await?.into_inner();
            Ok((page.orders, page.next_page_token))
        });
        let orders = orders.await.context("orders cannot be listed")?;
        let (card, carrier) = (self.outside.card().await?, self.outside.carrier().await?);
        let levels = every(async |page_token| {
            let page =
                inventory.clone().list_stock(ListStockRequest { page_size: PAGE, page_token }).await?.into_inner();
            Ok((page.levels, page.next_page_token))
        });
        let levels = levels.await.context("stock cannot be listed")?;
        let reservations = every(async |page_token| {
            let request = ListOpenReservationsRequest { page_size: PAGE, page_token };
            let page = inventory.clone().list_open_reservations(request).await?.into_inner();
            Ok((page.reservations, page.next_page_token))
        });
        let reservations = reservations.await.context("reservations cannot be listed")?;
        let ledger = LedgerServiceClient::new(self.channels.to("payment")?).get_balance(GetBalanceRequest {}).await;
        let balances = ledger.context("the ledger cannot be read")?.into_inner().balances;
        Ok(Facts { orders, levels, reservations, balances, card, carrier, differences: Vec::new() })
    }

    /// Has inventory compare all its levels with their movements; what differs.
    async fn audited(&self) -> Result<Vec<StockDifference>> {
        let movements = MovementServiceClient::new(self.channels.to("inventory")?);
        let compared = every(async |page_token| {
            let request = AuditStockRequest { page_size: PAGE, page_token, ..AuditStockRequest::default() };
            let page = movements.clone().audit_stock(request).await?.into_inner();
            Ok((page.found, page.next_page_token))
        });
        compared.await?;
        // Others may have found some before.
        let open = every(async |page_token| {
            let state = StockDifferenceState::Open.into();
            let request = ListStockDifferencesRequest { state, page_size: PAGE, page_token };
            let page = movements.clone().list_stock_differences(request).await?.into_inner();
            Ok((page.differences, page.next_page_token))
        });
        Ok(open.await?)
    }

    /// The same orders, each as it is.
    async fn themselves(&self, listed: &[Order]) -> Result<Vec<Order>> {
        let ordering = OrderingServiceClient::new(self.channels.to("ordering")?);
        let orders = stream::iter(listed).map(async |order| {
            let request = GetOrderRequest { order_id: order.order_id.clone(), as_of: None };
            let shown = ordering.clone().get_order(request).await?.into_inner();
            shown.order.with_context(|| format!("order {} is not shown", order.order_id))
        });
        orders.buffered(AT_ONCE).try_collect().await
    }
}

/// Everything that a list has, page after page.
async fn every<T>(page: impl AsyncFn(String) -> Result<(Vec<T>, String), Status>) -> Result<Vec<T>, Status> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let (items, next) = page(token).await?;
        all.extend(items);
        if next.is_empty() {
            return Ok(all);
        }
        token = next;
    }
}
