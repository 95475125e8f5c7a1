//! The service beside stand-ins for those whose events it follows.

use std::time::Duration;

use contracts::tradewind::analytics::v1::flow_service_client::FlowServiceClient;
use contracts::tradewind::analytics::v1::sales_service_client::SalesServiceClient;
use contracts::tradewind::consumer::v1::consumer_service_client::ConsumerServiceClient;
use contracts::tradewind::consumer::v1::{ListProjectionsRequest, RebuildProjectionRequest};
use contracts::tradewind::inventory::v1::{StockReceived, StockReserved};
use contracts::tradewind::ordering::v1::{
    OrderCancelled, OrderConfirmed, OrderDelivered, OrderPaid, OrderPlaced, OrderShipped, OrderStockConfirmed,
};
use contracts::tradewind::payment::v1::{PaymentCaptured, PaymentRequested};
use contracts::tradewind::shipping::v1::ShipmentRequested;
use tempfile::TempDir;
use tradewind_mesh::{Channel, IdentityFiles, pki};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Nats, Neighbour, channel, eventually, scratch};

pub(crate) const DEADLINE: Duration = Duration::from_secs(40);

tradewind_domain::events! {
    pub(crate) enum OrderEvent {
        Placed(OrderPlaced), StockConfirmed(OrderStockConfirmed), Paid(OrderPaid), Confirmed(OrderConfirmed),
        Shipped(OrderShipped), Delivered(OrderDelivered), Cancelled(OrderCancelled),
    }
}
tradewind_domain::events! { pub(crate) enum StockEvent { Received(StockReceived), Reserved(StockReserved) } }
tradewind_domain::events! { pub(crate) enum PaymentEvent { Requested(PaymentRequested), Captured(PaymentCaptured) } }
tradewind_domain::events! { pub(crate) enum ShipmentEvent { Requested(ShipmentRequested) } }

pub(crate) struct Surroundings {
    pub(crate) ordering: Neighbour<OrderEvent>,
    pub(crate) inventory: Neighbour<StockEvent>,
    pub(crate) payment: Neighbour<PaymentEvent>,
    pub(crate) shipping: Neighbour<ShipmentEvent>,
    nats: Nats,
    database: Database,
    folder: TempDir,
    /// Where a ClickHouse is, if sales are kept there.
    clickhouse: Option<String>,
}

impl Surroundings {
    pub(crate) async fn open(database: Database) -> Self {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let names = ["analytics", "ordering", "inventory", "payment", "shipping", "operator", "catalog"];
        pki::init(folder.path(), &names, "tradewind.local").unwrap();
        Self {
            ordering: Neighbour::start("ordering", "order", folder.path(), &nats).await,
            inventory: Neighbour::start("inventory", "reservation", folder.path(), &nats).await,
            payment: Neighbour::start("payment", "payment", folder.path(), &nats).await,
            shipping: Neighbour::start("shipping", "shipment", folder.path(), &nats).await,
            nats,
            database,
            folder,
            clickhouse: None,
        }
    }

    /// With a ClickHouse, where sales are kept.
    pub(crate) fn keeping_sales_in(self, clickhouse: String) -> Self {
        Self { clickhouse: Some(clickhouse), ..self }
    }

    fn settings(&self) -> Settings {
        let files = IdentityFiles::in_dir(self.folder.path(), "analytics");
        Settings::in_process(files, self.database.url(), self.nats.url())
            .with_peer("ordering", self.ordering.address())
            .with_peer("inventory", self.inventory.address())
            .with_peer("payment", self.payment.address())
            .with_peer("shipping", self.shipping.address())
    }

    /// Why the service does not start with a setting.
    pub(crate) async fn refused(&self, key: &str, text: &str) -> String {
        let started = analytics::service().start(self.settings().with(key, text)).await;
        started.unwrap_err().to_string()
    }

    pub(crate) async fn start(&self) -> Running {
        let settings = match &self.clickhouse {
            Some(clickhouse) => self.settings().with("clickhouse", clickhouse).with("clickhouse_timeout", "2s"),
            None => self.settings(),
        };
        let mut running = analytics::service().start(settings).await.unwrap();
        running.ready(DEADLINE).await.unwrap();
        running
    }

    pub(crate) fn flows(&self, who: &str, running: &Running) -> FlowServiceClient<Channel> {
        FlowServiceClient::new(channel(self.folder.path(), who, "analytics", running.grpc_addr()))
    }

    pub(crate) fn sales(&self, running: &Running) -> SalesServiceClient<Channel> {
        SalesServiceClient::new(channel(self.folder.path(), "operator", "analytics", running.grpc_addr()))
    }

    pub(crate) fn consumers(&self, running: &Running) -> ConsumerServiceClient<Channel> {
        ConsumerServiceClient::new(channel(self.folder.path(), "operator", "analytics", running.grpc_addr()))
    }

    /// Has a projection built anew, and waits until what was built is read.
    pub(crate) async fn rebuild(&self, running: &Running, name: &str) {
        let (projection, reason) = (name.to_owned(), "to see that it is the same".to_owned());
        self.consumers(running).rebuild_projection(RebuildProjectionRequest { projection, reason }).await.unwrap();
        eventually(DEADLINE, "what was built is read", async || {
            let all = self.consumers(running).list_projections(ListProjectionsRequest {}).await.unwrap().into_inner();
            let built = all.projections.iter().find(|projection| projection.projection == name);
            let is_read =
                built.is_some_and(|one| one.start_time.is_some() && one.build.is_none() && one.ask_time.is_none());
            if is_read { Ok(()) } else { Err(all) }
        })
        .await;
    }
}
