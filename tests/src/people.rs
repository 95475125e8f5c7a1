//! Those who call the shop's services, as a workload with its certificate over mTLS gRPC.

use std::sync::Arc;

use books::Sources;
use contracts::tradewind::{
    analytics::v1::flow_service_client::FlowServiceClient,
    catalog::v1::{CreateProductRequest, Product, catalog_service_client::CatalogServiceClient},
    consumer::v1::consumer_service_client::ConsumerServiceClient,
    documents::v1::{Document, ListDocumentsRequest, document_service_client::DocumentServiceClient},
    eventlog::v1::{EventRecord, ReadKeyRequest, ReadLogRequest, event_log_service_client::EventLogServiceClient},
    identity::v1::{Account, CreateStaffAccountRequest, identity_service_client::IdentityServiceClient},
    inventory::v1::{
        ListStockRequest, ReceiveStockRequest, StockLevel, inventory_service_client::InventoryServiceClient,
    },
    mesh::v1::mesh_service_client::MeshServiceClient,
    notification::v1::{
        notification_service_client::NotificationServiceClient, webhook_service_client::WebhookServiceClient,
    },
    ordering::v1::{
        CancelOrderRequest, GetOrderRequest, ListOrdersRequest, Order, OrderStatus, PlaceOrderRequest,
        WatchOrderRequest, ordering_service_client::OrderingServiceClient,
    },
    payment::v1::payment_service_client::PaymentServiceClient,
    shipping::v1::{
        DeliverShipmentRequest, DispatchShipmentRequest, GetShipmentRequest, Shipment, ShipmentStatus,
        shipping_service_client::ShippingServiceClient,
    },
};
use tonic::{Code, Status};
use tradewind_mesh::{Channel, Channels, User, reason};
use tradewind_testing::eventually;
use uuid::Uuid;

use crate::PATIENCE;
use crate::offer::{Offer, pounds};
use crate::outside_world::Outside;

/// The largest page there is.
const PAGE: i32 = 1000;

/// A workload with connections of its own.
#[derive(Clone)]
pub struct Person {
    channels: Channels,
    user: Option<Arc<User>>,
}

impl Person {
    pub const fn new(channels: Channels) -> Self {
        Self { channels, user: None }
    }

    /// The gateway, with somebody behind it who may order for anybody.
    pub fn staff(channels: Channels) -> Self {
        let user = User { id: "staff".to_owned(), roles: vec!["staff".to_owned()], ..User::default() };
        Self { channels, user: Some(Arc::new(user)) }
    }

    fn to(&self, service: &str) -> Channel {
        let channel = self.channels.to(service).unwrap();
        self.user.clone().map_or_else(|| channel.clone(), |user| channel.speaking_for(user))
    }

    pub fn catalog(&self) -> CatalogServiceClient<Channel> {
        CatalogServiceClient::new(self.to("catalog"))
    }

    pub fn ordering(&self) -> OrderingServiceClient<Channel> {
        OrderingServiceClient::new(self.to("ordering"))
    }

    pub fn inventory(&self) -> InventoryServiceClient<Channel> {
        InventoryServiceClient::new(self.to("inventory"))
    }

    pub fn payment(&self) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(self.to("payment"))
    }

    pub fn shipping(&self) -> ShippingServiceClient<Channel> {
        ShippingServiceClient::new(self.to("shipping"))
    }

    pub fn notification(&self) -> NotificationServiceClient<Channel> {
        NotificationServiceClient::new(self.to("notification"))
    }

    pub fn flows(&self) -> FlowServiceClient<Channel> {
        FlowServiceClient::new(self.to("analytics"))
    }

    pub fn documents(&self) -> DocumentServiceClient<Channel> {
        DocumentServiceClient::new(self.to("documents"))
    }

    pub fn webhooks(&self) -> WebhookServiceClient<Channel> {
        WebhookServiceClient::new(self.to("notification"))
    }

    pub fn identity(&self) -> IdentityServiceClient<Channel> {
        IdentityServiceClient::new(self.to("identity"))
    }

    /// Makes an account for somebody of the staff.
    pub async fn hire(&self, email: &str) -> Account {
        let request = CreateStaffAccountRequest { email: email.to_owned(), ..CreateStaffAccountRequest::default() };
        let hired =
            patiently("the account is made", async || self.identity().create_staff_account(request.clone()).await);
        hired.await.into_inner().account.unwrap()
    }

    /// The consumers of one service, and its quarantine.
    pub fn consumers_of(&self, service: &str) -> ConsumerServiceClient<Channel> {
        ConsumerServiceClient::new(self.to(service))
    }

    /// How the calls of one service stand, and the faults in them.
    pub fn mesh_of(&self, service: &str) -> MeshServiceClient<Channel> {
        MeshServiceClient::new(self.to(service))
    }

    /// Offers a product whose SKU is its id, with so many units in stock, and waits until it can be ordered.
    pub async fn offer(&self, id: &str, price: i64, units: i64) -> Offer {
        let product = Product {
            product_id: id.to_owned(),
            sku: id.to_owned(),
            name: id.to_owned(),
            price: Some(pounds(price)),
            ..Product::default()
        };
        let request = CreateProductRequest { request_id: format!("offer-{id}"), product: Some(product) };
        let listed = eventually(PATIENCE, "the product is listed", async || {
            self.catalog().create_product(request.clone()).await
        })
        .await;
        let position = listed.into_inner().position;
        if units > 0 {
            self.receive(id, "hull", units).await;
        }
        let offer = Offer::of(id);
        // Refused until ordering has heard of the product, and then only because it costs something else.
        eventually(PATIENCE, "ordering has heard of the product", async || {
            let wrong = Some(pounds(price + 1));
            let order = PlaceOrderRequest { expected_total: wrong, after: vec![position.clone()], ..offer.order(1) };
            let refused = self.try_place(order).await.expect_err("the price is wrong");
            (reason(&refused).as_deref() == Some("PRICE_CHANGED")).then_some(()).ok_or(refused)
        })
        .await;
        offer
    }

    /// Books units in at a location.
    pub async fn receive(&self, sku: &str, location: &str, units: i64) {
        let request = ReceiveStockRequest {
            request_id: Uuid::new_v4().to_string(),
            sku: sku.to_owned(),
            location: location.to_owned(),
            quantity: units,
        };
        eventually(PATIENCE, "the units are booked in", async || self.inventory().receive_stock(request.clone()).await)
            .await;
    }

    /// Places an order that is accepted.
    pub async fn place(&self, mut request: PlaceOrderRequest) -> Order {
        if request.request_id.is_empty() {
            request.request_id = Uuid::new_v4().to_string();
        }
        patiently("the order is placed", async || self.try_place(request.clone()).await).await
    }

    pub async fn try_place(&self, request: PlaceOrderRequest) -> Result<Order, Status> {
        Ok(self.ordering().place_order(request).await?.into_inner().order.unwrap())
    }

    pub async fn cancel(&self, order_id: &str) -> Result<Order, Status> {
        let request = CancelOrderRequest { order_id: order_id.to_owned() };
        Ok(self.ordering().cancel_order(request).await?.into_inner().order.unwrap())
    }

    pub async fn order(&self, order_id: &str) -> Order {
        let request = GetOrderRequest { order_id: order_id.to_owned(), as_of: None };
        let found = patiently("the order is shown", async || self.ordering().get_order(request.clone()).await).await;
        found.into_inner().order.unwrap()
    }

    /// Watches an order until it is settled, and returns what it is then.
    pub async fn settled(&self, order_id: &str) -> Order {
        eventually(PATIENCE, "the order is settled", async || {
            let request = WatchOrderRequest { order_id: order_id.to_owned() };
            let mut shown = self.ordering().watch_order(request).await?.into_inner();
            let mut last = None;
            while let Some(next) = shown.message().await? {
                last = next.order;
            }
            last.ok_or_else(|| Status::internal("nothing was shown"))
        })
        .await
    }

    /// Waits until the order has one of these states, and returns it.
    pub async fn reaches(&self, order_id: &str, states: &[OrderStatus]) -> Order {
        eventually(PATIENCE, &format!("the order is one of {states:?}"), async || {
            let order = self.order(order_id).await;
            if states.contains(&order.status()) { Ok(order) } else { Err(order.status()) }
        })
        .await
    }

    /// Every order, as the list of orders has it.
    pub async fn orders(&self) -> Vec<Order> {
        let mut orders = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListOrdersRequest { page_size: PAGE, page_token, ..ListOrdersRequest::default() };
            let page = patiently("orders are listed", async || self.ordering().list_orders(request.clone()).await);
            let page = page.await.into_inner();
            orders.extend(page.orders);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return orders;
            }
        }
    }

    /// Every level of stock; a test has less than a page.
    pub async fn stock(&self) -> Vec<StockLevel> {
        let request = ListStockRequest { page_size: PAGE, page_token: String::new() };
        let stock = patiently("stock is listed", async || self.inventory().list_stock(request.clone()).await).await;
        stock.into_inner().levels
    }

    /// Waits until the books hold: what has left the building is booked out a moment after its order says so.
    pub async fn prove_books(&self, outside: &Outside) {
        let books = Sources::new(self.channels.clone(), outside.statements().clone());
        let proof = books.settle(PATIENCE).await.expect("everybody can be asked");
        assert!(proof.holds(), "{:#?}", proof.lines());
    }

    /// Waits until the parcel may leave.
    pub async fn cleared(&self, order_id: &str) {
        eventually(PATIENCE, "the shipment is cleared", async || {
            let request = GetShipmentRequest { order_id: order_id.to_owned() };
            let shipment = self.shipping().get_shipment(request).await?.into_inner().shipment.unwrap();
            let cleared = shipment.status() == ShipmentStatus::Cleared;
            cleared.then_some(()).ok_or_else(|| Status::internal(format!("{shipment:?}")))
        })
        .await;
    }

    /// Waits until the order has its invoice, which is given.
    pub async fn invoiced(&self, order_id: &str) -> Document {
        eventually(PATIENCE, "the order has an invoice", async || {
            let request = ListDocumentsRequest { order_id: order_id.to_owned() };
            let documents = self.documents().list_documents(request).await?.into_inner().documents;
            documents.into_iter().next().ok_or_else(|| Status::internal("it has none"))
        })
        .await
    }

    pub async fn dispatch(&self, order_id: &str) -> Result<Shipment, Status> {
        let request = DispatchShipmentRequest { order_id: order_id.to_owned() };
        Ok(self.shipping().dispatch_shipment(request).await?.into_inner().shipment.unwrap())
    }

    pub async fn deliver(&self, order_id: &str) -> Result<Shipment, Status> {
        let request = DeliverShipmentRequest { order_id: order_id.to_owned() };
        Ok(self.shipping().deliver_shipment(request).await?.into_inner().shipment.unwrap())
    }

    /// Every event of one context about an order, oldest first.
    pub async fn events_about(&self, service: &str, order_id: &str) -> Vec<EventRecord> {
        let request = ReadKeyRequest { key: order_id.to_owned(), ..ReadKeyRequest::default() };
        let read = patiently("events are read", async || {
            EventLogServiceClient::new(self.to(service)).read_key(request.clone()).await
        });
        read.await.into_inner().events
    }

    /// Every event of one context's log; a test has less than a page in a partition.
    pub async fn log_of(&self, service: &str) -> Vec<EventRecord> {
        let mut events = Vec::new();
        for partition in 0.. {
            let request = ReadLogRequest { partition, limit: 1000, ..ReadLogRequest::default() };
            let page = patiently("the log is read", async || {
                EventLogServiceClient::new(self.to(service)).read_log(request.clone()).await
            });
            let page = page.await.into_inner();
            events.extend(page.events);
            if partition + 1 >= page.partitions {
                break;
            }
        }
        events
    }

    /// Where each partition of a context's log ends.
    pub async fn log_heads(&self, service: &str) -> Vec<u64> {
        let mut heads = Vec::new();
        loop {
            let request = ReadLogRequest {
                partition: u32::try_from(heads.len()).unwrap(),
                after: 0,
                limit: 1,
                ..ReadLogRequest::default()
            };
            let page = patiently("the log is read", async || {
                EventLogServiceClient::new(self.to(service)).read_log(request.clone()).await
            });
            let page = page.await.into_inner();
            heads.push(page.head);
            if heads.len() == usize::try_from(page.partitions).unwrap() {
                return heads;
            }
        }
    }
}

/// The answer to a call that may be made more than once, again and again while a service, or what it stands on, takes too long.
async fn patiently<T>(what: &str, mut call: impl AsyncFnMut() -> Result<T, Status>) -> T {
    let answer = eventually(PATIENCE, what, async || match call().await {
        Err(late) if matches!(late.code(), Code::Unavailable | Code::DeadlineExceeded) => Err(late),
        answer => Ok(answer),
    });
    answer.await.unwrap()
}
