//! The calls about webhooks.

mod convert;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;

use contracts::tradewind::notification::v1::webhook_service_server::WebhookService;
use contracts::tradewind::notification::v1::{
    CreateWebhookEndpointRequest, CreateWebhookEndpointResponse, DeleteWebhookEndpointRequest,
    DeleteWebhookEndpointResponse, GetWebhookEndpointRequest, GetWebhookEndpointResponse, ListWebhookDeliveriesRequest,
    ListWebhookDeliveriesResponse, ListWebhookEndpointsRequest, ListWebhookEndpointsResponse,
    ReplayWebhookDeliveriesRequest, ReplayWebhookDeliveriesResponse, RotateWebhookSecretRequest,
    RotateWebhookSecretResponse, UpdateWebhookEndpointRequest, UpdateWebhookEndpointResponse,
};
use tonic::{Request, Response, Status};
use tradewind_domain::Error;
use tradewind_mesh::{keyed, status};

use crate::webhooks::Webhooks;

/// Answers the calls of `WebhookService`.
pub(crate) struct WebhookApi(Webhooks);

type Answer<T> = Result<Response<T>, Status>;

impl WebhookApi {
    /// Answers by `webhooks`.
    pub(crate) const fn new(webhooks: Webhooks) -> Self {
        Self(webhooks)
    }
}

#[tonic::async_trait]
impl WebhookService for WebhookApi {
    async fn create_webhook_endpoint(
        &self,
        request: Request<CreateWebhookEndpointRequest>,
    ) -> Answer<CreateWebhookEndpointResponse> {
        let (request, key) = keyed(request)?;
        let key = key.map_err(status)?;
        let wanted = convert::wanted(request).map_err(status)?;
        answer(self.0.create(key.as_ref(), wanted).await)
    }

    async fn list_webhook_endpoints(
        &self,
        request: Request<ListWebhookEndpointsRequest>,
    ) -> Answer<ListWebhookEndpointsResponse> {
        let (after, size) = convert::endpoints(&request.into_inner()).map_err(status)?;
        answer(self.0.list(&after, size).await)
    }

    async fn get_webhook_endpoint(
        &self,
        request: Request<GetWebhookEndpointRequest>,
    ) -> Answer<GetWebhookEndpointResponse> {
        let id = convert::endpoint_id(&request.into_inner().endpoint_id).map_err(status)?;
        answer(self.0.get(&id).await)
    }

    async fn update_webhook_endpoint(
        &self,
        request: Request<UpdateWebhookEndpointRequest>,
    ) -> Answer<UpdateWebhookEndpointResponse> {
        let (request, key) = keyed(request)?;
        let key = key.map_err(status)?;
        let (id, change) = convert::change(request).map_err(status)?;
        answer(self.0.update(key.as_ref(), &id, change).await)
    }

    async fn delete_webhook_endpoint(
        &self,
        request: Request<DeleteWebhookEndpointRequest>,
    ) -> Answer<DeleteWebhookEndpointResponse> {
        let (request, key) = keyed(request)?;
        let key = key.map_err(status)?;
        let id = convert::endpoint_id(&request.endpoint_id).map_err(status)?;
        answer(self.0.delete(key.as_ref(), &id).await)
    }

    async fn rotate_webhook_secret(
        &self,
        request: Request<RotateWebhookSecretRequest>,
    ) -> Answer<RotateWebhookSecretResponse> {
        let (request, key) = keyed(request)?;
        let key = key.map_err(status)?;
        let id = convert::endpoint_id(&request.endpoint_id).map_err(status)?;
        answer(self.0.rotate(key.as_ref(), &id).await)
    }

    async fn list_webhook_deliveries(
        &self,
        request: Request<ListWebhookDeliveriesRequest>,
    ) -> Answer<ListWebhookDeliveriesResponse> {
        let page = convert::deliveries(&request.into_inner()).map_err(status)?;
        answer(self.0.deliveries(&page.endpoint_id, page.state, page.before.as_ref(), page.size).await)
    }

    async fn replay_webhook_deliveries(
        &self,
        request: Request<ReplayWebhookDeliveriesRequest>,
    ) -> Answer<ReplayWebhookDeliveriesResponse> {
        let (request, key) = keyed(request)?;
        let key = key.map_err(status)?;
        let (id, again) = convert::again(&request).map_err(status)?;
        answer(self.0.replay(key.as_ref(), &id, &again).await)
    }
}

fn answer<T>(outcome: Result<T, Error>) -> Answer<T> {
    outcome.map(Response::new).map_err(status)
}
