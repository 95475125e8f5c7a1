use contracts::tradewind::ordering::v1::{
    ListOrderEventsResponse, RecordedOrderEvent, recorded_order_event::Event as Contract,
};
use tradewind_domain::{Error, EventSet, OrderId, Origin, request};
use tradewind_filter::sealed;
use tradewind_sql::timestamp;
use tradewind_store::{Recorded, Store, StreamName};
use tradewind_telemetry::trace_id;

use crate::domain::{Order, OrderError, OrderEvent};

/// Which events to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventsPage {
    pub(crate) order_id: OrderId,
    /// The order as it was asked for: what a page token is good for.
    pub(crate) asked: String,
    /// The most to return; more than 0.
    pub(crate) size: usize,
    /// The version of the last event of the page before.
    pub(crate) after: u64,
}

/// A page of what happened to an order, oldest first, with who asked for it, and without what is sensitive.
///
/// # Errors
/// `NotFound` when there is no such order.
pub(crate) async fn list_order_events(store: &Store, page: EventsPage) -> Result<ListOrderEventsResponse, Error> {
    let stream = StreamName::of::<Order>(&page.order_id.to_string());
    // One more tells that there is a next page.
    let found = store.audit(&stream, page.after, page.size + 1).await?;
    if found.is_empty() && page.after == 0 {
        return Err(OrderError::NotFound.into());
    }
    let found = found.into_iter().map(|(event, origin)| shown(event, origin)).collect();
    let token = |last: &RecordedOrderEvent| sealed(store.incarnation(), &[&page.asked], &last.version.to_string());
    let (events, next_page_token) = request::page(found, page.size, token);
    Ok(ListOrderEventsResponse { events, next_page_token })
}

fn shown(event: Recorded, origin: Origin) -> RecordedOrderEvent {
    RecordedOrderEvent {
        version: event.version,
        event_id: event.id.to_string(),
        event: said(&event.type_name, &event.payload),
        r#type: event.type_name,
        time: Some(timestamp(event.time)),
        partition: event.partition.into(),
        position: event.position,
        workload: origin.workload,
        user_id: origin.user,
        request_id: origin.request_id,
        causation: event.metadata.causation,
        correlation: event.metadata.correlation,
        trace_id: trace_id(&event.metadata.traceparent).to_owned(),
    }
}

/// What an event of that name says, but for what is sensitive; nothing where it is a later build's.
pub(crate) fn said(name: &str, payload: &[u8]) -> Option<Contract> {
    OrderEvent::decode(name, &contracts::shown(name, payload)).ok().map(contract)
}

fn contract(event: OrderEvent) -> Contract {
    match event {
        OrderEvent::Placed(event) => Contract::Placed(event),
        OrderEvent::StockConfirmed(event) => Contract::StockConfirmed(event),
        OrderEvent::Paid(event) => Contract::Paid(event),
        OrderEvent::Confirmed(event) => Contract::Confirmed(event),
        OrderEvent::CancellationRequested(event) => Contract::CancellationRequested(event),
        OrderEvent::CancellationRefused(event) => Contract::CancellationRefused(event),
        OrderEvent::Cancelled(event) => Contract::Cancelled(event),
        OrderEvent::Compensated(event) => Contract::Compensated(event),
        OrderEvent::Closed(event) => Contract::Closed(event),
        OrderEvent::Shipped(event) => Contract::Shipped(event),
        OrderEvent::Delivered(event) => Contract::Delivered(event),
        OrderEvent::Erased(event) => Contract::Erased(event),
    }
}
