//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use std::time::Duration;

use contracts::tradewind::ordering::v1::{
    CancelOrderRequest, EraseCustomerRequest, GetOrderHistoryRequest, GetOrderRequest, ListOrderEventsRequest,
    ListOrdersRequest, PlaceOrderRequest, WatchOrderRequest, recorded_order_event::Event,
};
use prost::Message;
use tradewind_domain::{EventSet, request::order_id};
use uuid::Uuid;

use super::convert;
use crate::app::{SETTLE_WITHIN, said};
use crate::domain::{Order, OrderEvent};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("order-requests", order_requests), ("stored-orders", stored_orders)];

/// Which request, and its bytes.
fn order_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 8 {
        0 => _ = PlaceOrderRequest::decode(bytes).map(place_order),
        1 => _ = ListOrdersRequest::decode(bytes).map(list_orders),
        2 => _ = GetOrderRequest::decode(bytes).map(|request| convert::get_order(&request)),
        3 => _ = WatchOrderRequest::decode(bytes).map(|request| order_id(&request.order_id)),
        4 => _ = CancelOrderRequest::decode(bytes).map(|request| order_id(&request.order_id)),
        5 => _ = GetOrderHistoryRequest::decode(bytes).map(|request| order_id(&request.order_id)),
        6 => _ = EraseCustomerRequest::decode(bytes).map(convert::erase_customer),
        _ => _ = ListOrderEventsRequest::decode(bytes).map(|request| convert::list_order_events(&request, Uuid::nil())),
    }
}

fn list_orders(request: ListOrdersRequest) {
    let is_filtered = !request.filter.trim().is_empty();
    let Ok(page) = convert::list_orders(request, Uuid::nil()) else { return };
    assert!((1..=1000).contains(&page.size) && page.filter.wanted.is_some() == is_filtered);
    let sorted = page.filter.order.len();
    assert!(page.filter.behind.is_none_or(|place| place.0.len() == sorted));
}

fn place_order(request: PlaceOrderRequest) {
    let units = request.lines.iter().map(|line| i64::from(line.quantity)).sum::<i64>();
    let Ok(placed) = convert::place_order(request, Ok(None), Duration::from_secs(60)) else { return };
    assert!(SETTLE_WITHIN.contains(&placed.settle_within) && !placed.customer_id.is_empty());
    assert!(placed.wanted.iter().all(|wanted| wanted.quantity > 0 && placed.named.contains_key(&wanted.product_id)));
    assert_eq!(placed.wanted.iter().map(|wanted| i64::from(wanted.quantity)).sum::<i64>(), units);
}

fn stored_orders(bytes: &[u8]) {
    history::evolved::<Order>(bytes);
    for name in OrderEvent::type_names() {
        if let Some(Event::Placed(placed)) = said(&name, bytes) {
            assert!(placed.payment_token.is_empty(), "what is sensitive is not shown");
        }
    }
}

#[path = "../../../../fuzz/history.rs"]
mod history;
#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
