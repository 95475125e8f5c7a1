use contracts::tradewind::ordering::v1::Order as Resource;
use time::OffsetDateTime;
use tradewind_domain::{Aggregate, Error, EventSet, OrderId};
use tradewind_events::{AsOf, Recorded, Store, StreamName, timestamp};

use crate::domain::{Order, OrderError, OrderEvent};

/// An order with what its events say beside their content.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) order: Order,
    /// How many events it has seen.
    pub(super) version: u64,
    /// When it was placed.
    pub(super) created: OffsetDateTime,
    /// When it last changed.
    pub(super) updated: OffsetDateTime,
}

impl View {
    /// The order now, or as it was at `point`.
    ///
    /// # Errors
    /// `NotFound` when there is no such order, or was none then.
    pub(super) async fn load(store: &Store, id: OrderId, point: Option<AsOf>) -> Result<Self, Error> {
        let mut events = store.history(&StreamName::of::<Order>(&id.to_string())).await?;
        let seen = match point {
            None => events.len(),
            Some(AsOf::Version(version)) => events.iter().take_while(|event| event.version <= version).count(),
            // A clock set back makes times overlap; the events up to the last one of that time are a prefix all the same.
            Some(AsOf::Time(time)) => events.iter().rposition(|event| event.time <= time).map_or(0, |last| last + 1),
        };
        events.truncate(seen);
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Err(OrderError::NotFound.into());
        };
        let (created, updated, version) = (first.time, last.time, last.version);
        let mut order = Order::default();
        for event in &events {
            evolve(&mut order, event)?;
        }
        Ok(Self { order, version, created, updated })
    }
}

/// Applies an event as it was stored.
pub(super) fn evolve(order: &mut Order, event: &Recorded) -> Result<(), Error> {
    order.evolve(&OrderEvent::decode(&event.type_name, &event.payload).map_err(Error::internal)?);
    Ok(())
}

impl From<View> for Resource {
    fn from(View { order, version, created, updated }: View) -> Self {
        let placed = order.placed.as_deref().cloned().unwrap_or_default();
        Self {
            order_id: placed.order_id,
            customer_id: placed.customer_id,
            status: order.status.into(),
            recipient: placed.recipient,
            lines: placed.lines,
            total: placed.total,
            cancellation_requested: order.cancellation_requested,
            cancellation_reason: order.reason.into(),
            cancellation_detail: order.detail,
            short_lines: order.short_lines,
            refunded: order.refunded,
            tracking: order.tracking,
            create_time: Some(timestamp(created)),
            update_time: Some(timestamp(updated)),
            deadline: placed.deadline,
            version,
        }
    }
}
