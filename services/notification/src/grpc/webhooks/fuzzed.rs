//! The requests about webhooks as functions of bytes.

use contracts::tradewind::notification::v1::{
    CreateWebhookEndpointRequest, ListWebhookDeliveriesRequest, ListWebhookEndpointsRequest,
    ReplayWebhookDeliveriesRequest, UpdateWebhookEndpointRequest,
};
use prost::Message;

use super::convert;

/// Which request, and its bytes. A URL that is taken can be written down and read again.
pub(crate) fn webhook_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 5 {
        0 => {
            let Ok(Ok(wanted)) = CreateWebhookEndpointRequest::decode(bytes).map(convert::wanted) else { return };
            assert_eq!(wanted.url.as_str().parse().as_ref(), Ok(&wanted.url));
            assert!(!wanted.event_types.is_empty());
        }
        1 => _ = UpdateWebhookEndpointRequest::decode(bytes).map(convert::change),
        2 => _ = ListWebhookEndpointsRequest::decode(bytes).map(|request| convert::endpoints(&request)),
        3 => _ = ListWebhookDeliveriesRequest::decode(bytes).map(|request| convert::deliveries(&request)),
        _ => _ = ReplayWebhookDeliveriesRequest::decode(bytes).map(|request| convert::again(&request)),
    }
}
