//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use contracts::tradewind::shipping::v1::{
    DeliverShipmentRequest, DispatchShipmentRequest, GetShipmentRequest, ListShipmentsRequest,
};
use prost::Message;
use tradewind_domain::OrderId;
use tradewind_domain::request::{order_id, page_size, page_token};

use crate::app::{Standing, owed};
use crate::domain::Shipment;
use crate::http_carrier::StandingView;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[
    ("shipment-requests", shipment_requests),
    ("stored-shipments", stored_shipments),
    ("carrier-answers", carrier_answers),
];

/// Which request, and its bytes.
fn shipment_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 4 {
        0 => _ = DispatchShipmentRequest::decode(bytes).map(|request| order_id(&request.order_id)),
        1 => _ = DeliverShipmentRequest::decode(bytes).map(|request| order_id(&request.order_id)),
        2 => _ = GetShipmentRequest::decode(bytes).map(|request| order_id(&request.order_id)),
        _ => {
            let Ok(request) = ListShipmentsRequest::decode(bytes) else { return };
            let _ = (page_size(request.page_size), page_token::<OrderId>(&request.page_token));
        }
    }
}

/// What is kept of a call to the carrier: after a 255, how it is named, and on the next line the rest. Otherwise a shipment's events.
fn stored_shipments(bytes: &[u8]) {
    if let Some((255, intent)) = bytes.split_first() {
        let end = intent.iter().position(|byte| *byte == b'\n').unwrap_or(intent.len());
        let _ = str::from_utf8(&intent[..end]).map(|name| owed(name, intent.get(end + 1..).unwrap_or_default()));
        return;
    }
    history::evolved::<Shipment>(bytes);
}

fn carrier_answers(bytes: &[u8]) {
    let _ = serde_json::from_slice::<StandingView>(bytes).map(Standing::from);
}

#[path = "../../../fuzz/history.rs"]
mod history;
#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
