//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use contracts::tradewind::inventory::v1::{
    AuditStockRequest, CorrectStockRequest, GetReservationRequest, GetStockRequest, ListOpenReservationsRequest,
    ListStockDifferencesRequest, ListStockMovementsRequest, ListStockRequest, ReceiveStockRequest,
    ResolveStockDifferenceRequest,
};
use prost::Message;
use tradewind_domain::OrderId;
use tradewind_domain::request::{order_id, page_size, page_token};

use super::{convert, movements};
use crate::domain::{Difference, Reservation, To, level_id};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[
    ("movement-requests", movement_requests),
    ("stock-requests", stock_requests),
    ("stored-reservations", stored_reservations),
];

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

/// Which request about movements or corrections, and its bytes. A page goes on at a place that can be written down and read again.
fn movement_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let after = match which % 5 {
        0 => ListStockMovementsRequest::decode(bytes)
            .ok()
            .and_then(|request| movements::convert::movements(request).ok()?.1),
        1 => {
            let request = ListStockDifferencesRequest::decode(bytes).ok();
            request.and_then(|request| movements::convert::differences(&request).ok()?.1)
        }
        2 => {
            let Ok(request) = AuditStockRequest::decode(bytes) else { return };
            if let Ok((_, Some((sku, location)), _)) = movements::convert::audit(&request) {
                assert_eq!(level_id(sku, location), request.page_token);
            }
            None
        }
        3 => {
            let _ = ResolveStockDifferenceRequest::decode(bytes).map(movements::convert::resolving);
            None
        }
        _ => {
            let Ok(Ok(correction)) = CorrectStockRequest::decode(bytes).map(convert::correction) else { return };
            let (To::Counted(units) | To::Change(units)) = correction.to;
            assert!(units.abs() <= To::MOST, "{units}");
            None
        }
    };
    assert!(after.is_none_or(|after| after.to_string().parse() == Ok(after)), "{after:?}");
}

/// The events of a reservation, and those of a difference.
fn stored_reservations(bytes: &[u8]) {
    history::evolved::<Reservation>(bytes);
    history::evolved::<Difference>(bytes);
}

#[path = "../../../../fuzz/history.rs"]
mod history;
#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
