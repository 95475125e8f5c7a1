//! The requests as functions of bytes.

use contracts::tradewind::notification::v1::ListNotificationsRequest;
use prost::Message;

use super::convert::Page;
pub(crate) use super::webhooks::fuzzed::webhook_requests;

pub(crate) fn notification_requests(bytes: &[u8]) {
    let Ok(request) = ListNotificationsRequest::decode(bytes) else { return };
    if let Ok(page) = Page::asked(&request) {
        assert!((1..=1_000).contains(&page.size) && !page.order_id.is_empty(), "{page:?}");
    }
}
