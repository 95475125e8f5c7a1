//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use contracts::tradewind::inventory::v1::ReceiveStockRequest;
use prost::Message;

use super::convert;
use crate::domain::level_id;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("stock-requests", stock_requests)];

/// A request, and a token of a page.
fn stock_requests(bytes: &[u8]) {
    let _ = ReceiveStockRequest::decode(bytes).map(convert::receipt);
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(Some((sku, location))) = convert::level_token(text) {
        assert_eq!(level_id(sku, location), text);
        assert!(convert::sku(sku.to_owned()).is_ok());
    }
}

#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
