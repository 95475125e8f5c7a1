//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use contracts::tradewind::sample::v1::{CreateItemRequest, GetItemRequest};
use prost::Message;

use super::convert;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("sample-requests", sample_requests)];

/// Which request, and its bytes.
fn sample_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 2 {
        0 => _ = CreateItemRequest::decode(bytes).map(convert::new_item),
        _ => _ = GetItemRequest::decode(bytes).map(|request| convert::item_id(request.item_id)),
    }
}

#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
