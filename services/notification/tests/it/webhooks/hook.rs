//! A service that sends webhooks, and what is asked of it.

use contracts::tradewind::{
    money::v1::Money,
    notification::v1::{
        CreateWebhookEndpointRequest, CreateWebhookEndpointResponse, DeliveryState, GetWebhookEndpointRequest,
        ListWebhookDeliveriesRequest, WebhookDelivery, WebhookEndpoint,
    },
    ordering::v1::{OrderPlaced, Recipient},
};
use notification::webhooks::table::endpoint::{Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tonic::Status;
use tradewind_runtime::Settings;
use tradewind_store::Clock;
use tradewind_testing::eventually;
use uuid::Uuid;

use crate::surroundings::{CUSTOMER, DEADLINE, Operator, Surroundings};

pub(crate) const PLACED: &str = "tradewind.ordering.v1.OrderPlaced";
pub(crate) const CONFIRMED: &str = "tradewind.ordering.v1.OrderConfirmed";
pub(crate) const SHIPPED: &str = "tradewind.ordering.v1.OrderShipped";
pub(crate) const CAPTURED: &str = "tradewind.payment.v1.PaymentCaptured";

/// What a card is charged by.
pub(crate) const CARD: &str = "tok_s3cret";
/// Whom an order is for.
pub(crate) const NAME: &str = "Ada Byron";

impl Surroundings {
    /// The settings of a service that sends webhooks on this machine, and is not patient.
    pub(crate) fn hooked(&self) -> Settings {
        self.settings().with("webhook_networks", "127.0.0.0/8, ::1/128").with("webhook_wait", "20ms")
    }

    /// Makes an endpoint one that is registered now.
    pub(crate) async fn registers_now(&self, id: &str) {
        let database = tradewind_sql::connect(&self.database.url()).await.unwrap();
        let now = tradewind_sql::micros(Clock::system().now());
        let change = Entity::update_many().col_expr(Column::Created, Expr::val(now));
        let changed = change.filter(Column::EndpointId.eq(id)).exec(&database).await.unwrap();
        assert_eq!(changed.rows_affected, 1);
    }

    /// An order that is placed.
    pub(crate) async fn placed(&self) -> String {
        let order_id = Uuid::now_v7().to_string();
        let recipient = Recipient { name: NAME.to_owned(), email: CUSTOMER.to_owned(), address: None };
        let placed = OrderPlaced {
            order_id: order_id.clone(),
            customer_id: "c-1".to_owned(),
            recipient: Some(recipient),
            payment_token: CARD.to_owned(),
            total: Some(Money { currency: "GBP".to_owned(), minor: 1234 }),
            ..OrderPlaced::default()
        };
        self.ordering.say(&order_id, placed).await;
        order_id
    }
}

/// A request to tell a URL of these types.
pub(crate) fn wanted(url: &str, types: &[&str]) -> CreateWebhookEndpointRequest {
    CreateWebhookEndpointRequest {
        request_id: Uuid::now_v7().to_string(),
        url: url.to_owned(),
        event_types: types.iter().map(|wanted| (*wanted).to_owned()).collect(),
        ..CreateWebhookEndpointRequest::default()
    }
}

impl Operator {
    pub(crate) async fn try_hook(&self, url: &str, types: &[&str]) -> Result<CreateWebhookEndpointResponse, Status> {
        Ok(self.webhooks().create_webhook_endpoint(wanted(url, types)).await?.into_inner())
    }

    /// Registers an endpoint; its id and secret.
    pub(crate) async fn hook(&self, url: &str, types: &[&str]) -> (String, String) {
        let made = self.try_hook(url, types).await.unwrap();
        (made.endpoint.unwrap().endpoint_id, made.secret)
    }

    pub(crate) async fn endpoint(&self, id: &str) -> WebhookEndpoint {
        let request = GetWebhookEndpointRequest { endpoint_id: id.to_owned() };
        self.webhooks().get_webhook_endpoint(request).await.unwrap().into_inner().endpoint.unwrap()
    }

    pub(crate) async fn deliveries(&self, id: &str) -> Vec<WebhookDelivery> {
        let request = ListWebhookDeliveriesRequest { endpoint_id: id.to_owned(), ..Default::default() };
        self.webhooks().list_webhook_deliveries(request).await.unwrap().into_inner().deliveries
    }

    /// Waits until so much of what an endpoint is told is so far, and returns that.
    pub(crate) async fn settles(&self, id: &str, state: DeliveryState, count: usize) -> Vec<WebhookDelivery> {
        eventually(DEADLINE, &format!("{count} are {}", state.as_str_name()), async || {
            let all = self.deliveries(id).await;
            let those: Vec<_> = all.iter().filter(|delivery| delivery.state() == state).cloned().collect();
            if those.len() == count { Ok(those) } else { Err(all) }
        })
        .await
    }
}
