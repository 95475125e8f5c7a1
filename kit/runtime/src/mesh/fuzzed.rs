//! What is asked of faults, as a function of bytes.

use contracts::tradewind::mesh::v1::{ClearFaultsRequest, SetFaultRequest};
use prost::Message;

use super::convert;

/// Which request, and its bytes.
pub(crate) fn fault_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 2 {
        0 => _ = SetFaultRequest::decode(bytes).map(|request| convert::wanted(request, ["catalog"].into_iter())),
        _ => _ = ClearFaultsRequest::decode(bytes),
    }
}
