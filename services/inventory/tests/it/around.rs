//! What surrounds the running service: a broker, ordering's log, an operator, and somebody who writes to its database by hand.

use std::time::Duration;

use contracts::tradewind::consumer::v1::consumer_service_client::ConsumerServiceClient;
use contracts::tradewind::inventory::v1::inventory_service_client::InventoryServiceClient;
use contracts::tradewind::inventory::v1::movement_service_client::MovementServiceClient;
use contracts::tradewind::inventory::v1::{
    AuditStockRequest, AuditStockResponse, GetReservationRequest, GetStockRequest, ListStockMovementsRequest,
    ReceiveStockRequest, ReservationStatus, StockLevel, StockMovement,
};
use contracts::tradewind::ordering::v1::{OrderCancelled, OrderShipped};
use inventory::store::level;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tempfile::TempDir;
use tonic::Status;
use tradewind_mesh::{Channel, IdentityFiles, pki};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Nats, Neighbour, channel, eventually, scratch};
use uuid::Uuid;

use crate::warehouse::{OrderEvent, order, placed};

pub(crate) const DEADLINE: Duration = Duration::from_secs(40);

/// Everything around the inventory service, which runs.
pub(crate) struct Around {
    pub(crate) running: Running,
    ordering: Neighbour<OrderEvent>,
    folder: TempDir,
    database: Database,
    _nats: Nats,
}

impl Around {
    pub(crate) async fn open(database: Database) -> Self {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        pki::init(folder.path(), &["inventory", "ordering", "operator"], "tradewind.local").unwrap();
        let ordering = Neighbour::start("ordering", "order", folder.path(), &nats).await;
        let files = IdentityFiles::in_dir(folder.path(), "inventory");
        let settings =
            Settings::in_process(files, database.url(), nats.url()).with_peer("ordering", ordering.address());
        let mut running = inventory::service().start(settings).await.unwrap();
        running.ready(DEADLINE).await.unwrap();
        Self { running, ordering, folder, database, _nats: nats }
    }

    fn channel(&self) -> Channel {
        channel(self.folder.path(), "operator", "inventory", self.running.grpc_addr())
    }

    pub(crate) fn inventory(&self) -> InventoryServiceClient<Channel> {
        InventoryServiceClient::new(self.channel())
    }

    pub(crate) fn movements(&self) -> MovementServiceClient<Channel> {
        MovementServiceClient::new(self.channel())
    }

    pub(crate) fn consumers(&self) -> ConsumerServiceClient<Channel> {
        ConsumerServiceClient::new(self.channel())
    }

    pub(crate) async fn receive(&self, sku: &str, location: &str, quantity: i64) {
        let (request_id, sku, location) = (Uuid::now_v7().to_string(), sku.to_owned(), location.to_owned());
        let request = ReceiveStockRequest { request_id, sku, location, quantity };
        self.inventory().receive_stock(request).await.unwrap();
    }

    /// Places an order, and tells its id.
    pub(crate) async fn place(&self, lines: &[(&str, i32)]) -> String {
        let order_id = order();
        self.ordering.say(&order_id, placed(&order_id, lines)).await;
        order_id
    }

    pub(crate) async fn cancel(&self, order_id: &str) {
        let event = OrderCancelled { order_id: order_id.to_owned(), ..OrderCancelled::default() };
        self.ordering.say(order_id, event).await;
    }

    pub(crate) async fn dispatch(&self, order_id: &str) {
        let event = OrderShipped { order_id: order_id.to_owned(), ..OrderShipped::default() };
        self.ordering.say(order_id, event).await;
    }

    /// Waits until an order's reservation stands like this.
    pub(crate) async fn becomes(&self, order_id: &str, status: ReservationStatus) {
        eventually(DEADLINE, &format!("the reservation is {}", status.as_str_name()), async || {
            let request = GetReservationRequest { order_id: order_id.to_owned() };
            let answer = self.inventory().get_reservation(request).await.map_err(|error| error.to_string())?;
            let now = answer.into_inner().reservation.unwrap_or_default().status();
            if now == status { Ok(()) } else { Err(now.as_str_name().to_owned()) }
        })
        .await;
    }

    pub(crate) async fn levels(&self, sku: &str) -> Vec<StockLevel> {
        let request = GetStockRequest { sku: sku.to_owned() };
        self.inventory().get_stock(request).await.unwrap().into_inner().levels
    }

    /// Compares a page of all levels.
    pub(crate) async fn audit(&self) -> Result<AuditStockResponse, Status> {
        Ok(self.movements().audit_stock(AuditStockRequest::default()).await?.into_inner())
    }

    /// All movements that are asked for, in pages of the size that the request has.
    pub(crate) async fn listed(&self, mut request: ListStockMovementsRequest) -> Vec<StockMovement> {
        let mut movements = Vec::new();
        loop {
            let page = self.movements().list_stock_movements(request.clone()).await.unwrap().into_inner();
            movements.extend(page.movements);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return movements;
            }
        }
    }

    /// Waits until so many movements are listed.
    pub(crate) async fn has_listed(&self, many: usize) -> Vec<StockMovement> {
        eventually(DEADLINE, "every movement is listed", async || {
            let found = self.listed(ListStockMovementsRequest::default()).await;
            if found.len() == many { Ok(found) } else { Err(found) }
        })
        .await
    }

    /// Sets counters of a level by hand.
    pub(crate) async fn tamper(&self, sku: &str, location: &str, counters: level::ActiveModel) {
        let database = tradewind_sql::connect(&self.database.url()).await.unwrap();
        let this = level::Entity::update_many().set(counters).filter(level::Column::Sku.eq(sku));
        let done = this.filter(level::Column::Location.eq(location)).exec(&database).await.unwrap();
        assert_eq!(done.rows_affected, 1);
        database.close().await.unwrap();
    }

    /// Deletes a level by hand.
    pub(crate) async fn lose(&self, sku: &str, location: &str) {
        let database = tradewind_sql::connect(&self.database.url()).await.unwrap();
        let this = level::Entity::delete_by_id((sku.to_owned(), location.to_owned()));
        assert_eq!(this.exec(&database).await.unwrap().rows_affected, 1);
        database.close().await.unwrap();
    }

    /// What the service's metrics say.
    pub(crate) async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.running.admin_addr());
        tradewind_runtime::direct().build().unwrap().get(url).send().await.unwrap().text().await.unwrap()
    }
}
