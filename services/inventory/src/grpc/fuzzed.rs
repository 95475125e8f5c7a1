//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use contracts::tradewind::inventory::v1::{
    GetReservationRequest, GetStockRequest, ListOpenReservationsRequest, ListStockRequest, ReceiveStockRequest,
};
use prost::Message;
use tradewind_domain::OrderId;
use tradewind_domain::request::{order_id, page_size, page_token};

use super::convert;
use crate::domain::{Reservation, level_id};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("stock-requests", stock_requests), ("stored-reservations", stored_reservations)];

/// Which request, and its bytes.
fn stock_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 5 {
        0 => _ = ReceiveStockRequest::decode(bytes).map(convert::receipt),
        1 => _ = GetStockRequest::decode(bytes).map(|request| convert::sku(request.sku)),
        2 => _ = ListStockRequest::decode(bytes).map(|request| list_stock(&request)),
        3 => _ = GetReservationRequest::decode(bytes).map(|request| order_id(&request.order_id)),
        _ => {
            let Ok(request) = ListOpenReservationsRequest::decode(bytes) else { return };
            let _ = (page_size(request.page_size), page_token::<OrderId>(&request.page_token));
        }
    }
}

/// A page begins behind a level of something that can be asked for.
fn list_stock(request: &ListStockRequest) {
    let _ = page_size(request.page_size);
    if let Ok(Some((sku, location))) = convert::level_token(&request.page_token) {
        assert_eq!(level_id(sku, location), request.page_token);
        assert!(convert::sku(sku.to_owned()).is_ok());
    }
}

fn stored_reservations(bytes: &[u8]) {
    history::evolved::<Reservation>(bytes);
}

#[path = "../../../../fuzz/history.rs"]
mod history;
#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
