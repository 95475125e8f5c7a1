//! The requests about payments and their ledger as functions of bytes.

use contracts::tradewind::payment::v1::{
    GetPaymentRequest, ListDifferencesRequest, ListEntriesRequest, ListPaymentsRequest, ReconcileRequest,
    ResolveDifferenceRequest,
};
use prost::Message;
use tradewind_domain::OrderId;
use tradewind_domain::request::{order_id, page_size, page_token};

use super::convert;

/// Which request, and its bytes. A page goes on at a place that can be written down and read again.
pub(crate) fn payment_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let after = match which % 6 {
        0 => ListEntriesRequest::decode(bytes).ok().and_then(|request| convert::entries(&request).ok()?.1),
        1 => ListDifferencesRequest::decode(bytes).ok().and_then(|request| convert::differences(&request).ok()?.1),
        2 => {
            let Ok(Ok(period)) = ReconcileRequest::decode(bytes).map(|request| convert::period(&request)) else {
                return;
            };
            assert!(!period.is_empty(), "{period:?}");
            None
        }
        3 => {
            let _ = ResolveDifferenceRequest::decode(bytes).map(convert::resolution);
            None
        }
        4 => {
            let _ = GetPaymentRequest::decode(bytes).map(|request| order_id(&request.order_id));
            None
        }
        _ => {
            let Ok(request) = ListPaymentsRequest::decode(bytes) else { return };
            let _ = (page_size(request.page_size), page_token::<OrderId>(&request.page_token));
            None
        }
    };
    assert!(after.is_none_or(|after| after.to_string().parse() == Ok(after)), "{after:?}");
}
