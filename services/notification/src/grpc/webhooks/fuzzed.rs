//! The requests about webhooks as functions of bytes.

use contracts::tradewind::notification::v1::{
    CreateWebhookEndpointRequest, DeleteWebhookEndpointRequest, GetWebhookEndpointRequest,
    ListWebhookDeliveriesRequest, ListWebhookEndpointsRequest, ReplayWebhookDeliveriesRequest,
    RotateWebhookSecretRequest, UpdateWebhookEndpointRequest,
};
use prost::Message;

use super::convert;

/// Which request, and its bytes. A URL that is taken can be written down and read again.
pub(crate) fn webhook_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 8 {
        0 => {
            let Ok(Ok(wanted)) = CreateWebhookEndpointRequest::decode(bytes).map(convert::wanted) else { return };
            assert_eq!(wanted.url.as_str().parse().as_ref(), Ok(&wanted.url));
            assert!(!wanted.event_types.is_empty());
        }
        1 => _ = UpdateWebhookEndpointRequest::decode(bytes).map(convert::change),
        2 => _ = ListWebhookEndpointsRequest::decode(bytes).map(|request| convert::endpoints(&request)),
        3 => _ = ListWebhookDeliveriesRequest::decode(bytes).map(|request| convert::deliveries(&request)),
        4 => _ = ReplayWebhookDeliveriesRequest::decode(bytes).map(|request| convert::again(&request)),
        5 => _ = GetWebhookEndpointRequest::decode(bytes).map(|request| convert::endpoint_id(&request.endpoint_id)),
        6 => _ = DeleteWebhookEndpointRequest::decode(bytes).map(|request| convert::endpoint_id(&request.endpoint_id)),
        _ => _ = RotateWebhookSecretRequest::decode(bytes).map(|request| convert::endpoint_id(&request.endpoint_id)),
    }
}
