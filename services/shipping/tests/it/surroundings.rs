//! What surrounds the shipping service: a broker, ordering's log, the carrier, an operator.

use std::time::Duration;

use contracts::tradewind::{
    eventlog::v1::{ReadKeyRequest, event_log_service_client::EventLogServiceClient},
    money::v1::Money,
    ordering::v1::{
        Address, OrderCancellationRequested, OrderCancelled, OrderConfirmed, OrderPaid, PricedLine, Recipient,
    },
    shipping::v1::{
        DeliverShipmentRequest, DispatchShipmentRequest, GetShipmentRequest, Shipment, ShipmentCancellationRefused,
        ShipmentStatus, shipping_service_client::ShippingServiceClient,
    },
};
use prost::Name;
use tempfile::TempDir;
use tonic::Status;
use tradewind_mesh::{Channel, IdentityFiles, pki};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Mortal, Nats, Neighbour, channel, eventually, scratch};
use uuid::Uuid;

use crate::carrier::Carrier;

pub(crate) const DEADLINE: Duration = Duration::from_secs(40);

tradewind_domain::events! {
    /// What ordering says here.
    pub(crate) enum OrderEvent {
        Paid(OrderPaid),
        Confirmed(OrderConfirmed),
        CancellationRequested(OrderCancellationRequested),
        Cancelled(OrderCancelled),
    }
}

/// Everything around the shipping service, gone when dropped.
pub(crate) struct Surroundings {
    pub(crate) carrier: Carrier,
    ordering: Neighbour<OrderEvent>,
    database: Database,
    nats: Nats,
    folder: TempDir,
}

impl Surroundings {
    /// Those of a shipping service that keeps `database` and does not run yet.
    pub(crate) async fn open(database: Database) -> Self {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        pki::init(folder.path(), &["shipping", "ordering", "operator", "catalog"], "tradewind.local").unwrap();
        let ordering = Neighbour::start("ordering", "order", folder.path(), &nats).await;
        Self { carrier: Carrier::start().await, ordering, database, nats, folder }
    }

    pub(crate) fn settings(&self) -> Settings {
        let files = IdentityFiles::in_dir(self.folder.path(), "shipping");
        Settings::in_process(files, self.database.url(), self.nats.url())
            .with_peer("ordering", self.ordering.address())
            .with("outside_url", self.carrier.url())
            .with("outside_timeout", "1s")
    }

    /// Starts the shipping service and waits until it is ready.
    pub(crate) async fn start(&self) -> Operator {
        let mut running = shipping::service().start(self.settings()).await.unwrap();
        running.ready(DEADLINE).await.unwrap();
        self.operator("operator", running)
    }

    /// The service as the workload `who` calls it.
    pub(crate) fn operator(&self, who: &str, running: Running) -> Operator {
        let channel = channel(self.folder.path(), who, "shipping", running.grpc_addr());
        let (client, log) = (ShippingServiceClient::new(channel.clone()), EventLogServiceClient::new(channel));
        Operator { client, log, running }
    }

    /// Starts the shipping service so that it can be killed.
    pub(crate) async fn start_mortal(&self) -> Mortal {
        let settings = self.settings().with("outside_timeout", "5s");
        Mortal::start(shipping::service(), settings, DEADLINE).await
    }

    /// A paid order that goes to this postal code.
    pub(crate) async fn order_to(&self, postal_code: &str) -> String {
        let order_id = Uuid::now_v7().to_string();
        let address = Address {
            line1: "1 High Street".to_owned(),
            city: "Leeds".to_owned(),
            postal_code: postal_code.to_owned(),
            country: "GB".to_owned(),
        };
        let line = PricedLine {
            product_id: "assam".to_owned(),
            sku: "TEA-1".to_owned(),
            quantity: 2,
            unit_price: Some(Money { currency: "GBP".to_owned(), minor: 450 }),
            ..PricedLine::default()
        };
        let paid = OrderPaid {
            order_id: order_id.clone(),
            recipient: Some(Recipient {
                name: "A. Customer".to_owned(),
                email: "customer@example.com".to_owned(),
                address: Some(address),
            }),
            lines: vec![line],
            ..OrderPaid::default()
        };
        self.ordering.say(&order_id, paid).await;
        order_id
    }

    /// A paid order.
    pub(crate) async fn order(&self) -> String {
        self.order_to("LS1 4AP").await
    }

    pub(crate) async fn confirm(&self, order_id: &str) {
        let confirmed = OrderConfirmed { order_id: order_id.to_owned(), ..OrderConfirmed::default() };
        self.ordering.say(order_id, confirmed).await;
    }

    pub(crate) async fn request_cancellation(&self, order_id: &str) {
        self.ordering.say(order_id, OrderCancellationRequested { order_id: order_id.to_owned() }).await;
    }

    pub(crate) async fn cancel(&self, order_id: &str) {
        let cancelled = OrderCancelled { order_id: order_id.to_owned(), ..OrderCancelled::default() };
        self.ordering.say(order_id, cancelled).await;
    }

    /// An order that is ready to leave.
    pub(crate) async fn cleared(&self, operator: &Operator) -> String {
        let order = self.order().await;
        operator.sees(&order, ShipmentStatus::Booked).await;
        self.confirm(&order).await;
        operator.sees(&order, ShipmentStatus::Cleared).await;
        order
    }

    /// Waits until the carrier has one booking of the order, and it stands like this.
    pub(crate) async fn carrier_shows(&self, order_id: &str, status: &str) {
        eventually(DEADLINE, &format!("the carrier shows {status}"), async || {
            let seen = self.carrier.statement(order_id).await;
            if seen == [status] { Ok(()) } else { Err(seen) }
        })
        .await;
    }
}

/// Somebody who calls the running service; it stops when dropped.
pub(crate) struct Operator {
    pub(crate) client: ShippingServiceClient<Channel>,
    log: EventLogServiceClient<Channel>,
    pub(crate) running: Running,
}

impl Operator {
    pub(crate) async fn get(&self, order_id: &str) -> Result<Shipment, Status> {
        let request = GetShipmentRequest { order_id: order_id.to_owned() };
        Ok(self.client.clone().get_shipment(request).await?.into_inner().shipment.unwrap())
    }

    pub(crate) async fn dispatch(&self, order_id: &str) -> Result<Shipment, Status> {
        let request = DispatchShipmentRequest { order_id: order_id.to_owned() };
        Ok(self.client.clone().dispatch_shipment(request).await?.into_inner().shipment.unwrap())
    }

    pub(crate) async fn deliver(&self, order_id: &str) -> Result<Shipment, Status> {
        let request = DeliverShipmentRequest { order_id: order_id.to_owned() };
        Ok(self.client.clone().deliver_shipment(request).await?.into_inner().shipment.unwrap())
    }

    /// Waits until the order's shipment stands like this, and returns it.
    pub(crate) async fn sees(&self, order_id: &str, status: ShipmentStatus) -> Shipment {
        eventually(DEADLINE, &format!("the shipment is {}", status.as_str_name()), async || {
            let shipment = self.get(order_id).await.map_err(|error| error.to_string())?;
            if shipment.status() == status { Ok(shipment) } else { Err(shipment.status().as_str_name().to_owned()) }
        })
        .await
    }

    /// How often a cancellation of the order was refused.
    pub(crate) async fn refusals(&self, order_id: &str) -> usize {
        let request = ReadKeyRequest { key: order_id.to_owned(), ..ReadKeyRequest::default() };
        let events = self.log.clone().read_key(request).await.unwrap().into_inner().events;
        events.iter().filter(|event| event.r#type == ShipmentCancellationRefused::full_name()).count()
    }

    /// Stops the service and waits for its end.
    pub(crate) async fn stop(mut self) {
        self.running.stop();
        self.running.wait().await.unwrap();
    }
}
