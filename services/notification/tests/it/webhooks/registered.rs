//! Endpoints: registered once, listed, changed, forgotten, and no more than there may be.

use contracts::tradewind::notification::v1::{
    DeleteWebhookEndpointRequest, DeliveryState, GetWebhookEndpointRequest, ListWebhookEndpointsRequest,
    UpdateWebhookEndpointRequest,
};
use tonic::Code;
use tradewind_testing::{Database, block_on};
use uuid::Uuid;

use super::hook::{CONFIRMED, PLACED, wanted};
use super::receiver::Receiver;
use crate::surroundings::{CUSTOMER, Surroundings};

#[test]
fn an_endpoint_is_registered_once_under_an_id_and_its_secret_is_told_then_alone() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked()).await;
        let request = wanted("http://127.0.0.1:9/", &[PLACED]);
        let mut webhooks = operator.webhooks();
        let once = webhooks.create_webhook_endpoint(request.clone()).await.unwrap().into_inner();
        let again = webhooks.create_webhook_endpoint(request).await.unwrap().into_inner();
        assert!(once == again && once.secret.starts_with("whsec_"));
        let listed =
            webhooks.list_webhook_endpoints(ListWebhookEndpointsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.endpoints, [once.endpoint.unwrap()]);
        let told = format!("{:?}", listed.endpoints);
        assert!(!told.contains("whsec_") && !told.contains("127.0.0.1"), "{told}");
        operator.stop().await;
    });
}

#[test]
fn an_endpoint_is_changed_and_forgotten() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked()).await;
        let (before, after) = (Receiver::takes().await, Receiver::takes().await);
        let (id, secret) = operator.hook(&before.url, &[PLACED]).await;
        surroundings.placed().await;
        operator.settles(&id, DeliveryState::Delivered, 1).await;
        let change = UpdateWebhookEndpointRequest {
            request_id: Uuid::now_v7().to_string(),
            endpoint_id: id.clone(),
            url: after.url.clone(),
            event_types: vec![CONFIRMED.to_owned()],
            description: Some("the warehouse".to_owned()),
            enabled: None,
        };
        let changed = operator.webhooks().update_webhook_endpoint(change).await.unwrap().into_inner().endpoint.unwrap();
        assert_eq!((changed.description.as_str(), changed.enabled), ("the warehouse", true));
        surroundings.placed().await;
        surroundings.confirmed(CUSTOMER).await;
        let [seen] = after.sees(1).await.try_into().unwrap();
        assert!(seen.kind() == "OrderConfirmed" && seen.is_signed_by(&secret));
        assert_eq!(before.seen().len(), 1);

        let (request_id, endpoint_id) = ("gone".to_owned(), id.clone());
        let delete = DeleteWebhookEndpointRequest { request_id, endpoint_id };
        operator.webhooks().delete_webhook_endpoint(delete.clone()).await.unwrap();
        operator.webhooks().delete_webhook_endpoint(delete).await.unwrap();
        let asked = GetWebhookEndpointRequest { endpoint_id: id };
        let missing = operator.webhooks().get_webhook_endpoint(asked).await.unwrap_err();
        assert_eq!(
            (missing.code(), tradewind_mesh::reason(&missing).as_deref()),
            (Code::NotFound, Some("ENDPOINT_NOT_FOUND"))
        );
        operator.stop().await;
    });
}

#[test]
fn there_are_a_hundred_endpoints_at_most() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked()).await;
        for port in 1..=100 {
            operator.hook(&format!("http://127.0.0.1:{port}/"), &[CONFIRMED]).await;
        }
        let refused = operator.try_hook("http://127.0.0.1:101/", &[CONFIRMED]).await.unwrap_err();
        assert_eq!(tradewind_mesh::reason(&refused).as_deref(), Some("TOO_MANY_ENDPOINTS"));
        operator.stop().await;
    });
}
