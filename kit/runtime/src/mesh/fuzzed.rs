//! What is asked of faults and of the log, as a function of bytes.

use contracts::tradewind::mesh::v1::{ClearFaultsRequest, SetFaultRequest, SetLogFilterRequest};
use prost::Message;

use super::{convert, log};

/// Which request, and its bytes.
pub(crate) fn fault_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 3 {
        0 => _ = SetFaultRequest::decode(bytes).map(|request| convert::wanted(request, ["catalog"].into_iter())),
        1 => _ = ClearFaultsRequest::decode(bytes),
        _ => _ = SetLogFilterRequest::decode(bytes).map(log::asked),
    }
}
