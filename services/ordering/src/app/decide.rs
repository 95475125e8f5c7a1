//! The one way of a decision into an order, and what is counted of what it led to: each event once, when it is committed.

use std::sync::LazyLock;

use contracts::tradewind::ordering::v1::CancellationReason;
use opentelemetry::{KeyValue, global, metrics::Counter};
use tradewind_domain::Error;
use tradewind_store::{Executed, Tx};

use crate::domain::{Command, Order, OrderEvent};

static PLACED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_orders_placed")
        .with_description("Orders that were placed")
        .build()
});
static OUTCOMES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_orders_settled")
        .with_description("Orders that were confirmed, delivered or cancelled; of those that were cancelled, by why")
        .build()
});

const OUTCOME: &str = "outcome";
const REASON: &str = "reason";
const REASONS: [CancellationReason; 6] = [
    CancellationReason::OutOfStock,
    CancellationReason::PaymentDeclined,
    CancellationReason::ShipmentRejected,
    CancellationReason::Customer,
    CancellationReason::Deadline,
    CancellationReason::PaymentMismatch,
];

/// Makes what is counted visible before there is any.
pub(crate) fn begin_to_count() {
    PLACED.add(0, &[]);
    for labels in ["confirmed", "delivered"].map(|outcome| vec![KeyValue::new(OUTCOME, outcome)]) {
        OUTCOMES.add(0, &labels);
    }
    for reason in REASONS {
        OUTCOMES.add(0, &cancelled(reason));
    }
}

/// Lets a new order decide on its first `command`.
///
/// # Errors
/// The order's refusal, or the database's.
pub(super) async fn create(tx: &mut Tx, order_id: &str, command: Command) -> Result<Executed<Order>, Error> {
    let executed = tx.create::<Order>(order_id, command).await?;
    count(tx, &executed.events);
    Ok(executed)
}

/// Lets the order decide on `command`.
///
/// # Errors
/// The order's refusal, or the database's.
pub(super) async fn execute(tx: &mut Tx, order_id: &str, command: Command) -> Result<(), Error> {
    let executed = tx.execute::<Order>(order_id, command).await?;
    count(tx, &executed.events);
    Ok(())
}

fn count(tx: &mut Tx, events: &[OrderEvent]) {
    for event in events {
        if matches!(event, OrderEvent::Placed(_)) {
            tx.after(|| PLACED.add(1, &[]));
        }
        if let Some(labels) = outcome(event) {
            tx.after(move || OUTCOMES.add(1, &labels));
        }
    }
}

/// What an event makes of its order, if that is an end.
fn outcome(event: &OrderEvent) -> Option<Vec<KeyValue>> {
    match event {
        OrderEvent::Confirmed(_) => Some(vec![KeyValue::new(OUTCOME, "confirmed")]),
        OrderEvent::Delivered(_) => Some(vec![KeyValue::new(OUTCOME, "delivered")]),
        OrderEvent::Cancelled(event) => Some(cancelled(event.reason()).to_vec()),
        OrderEvent::Placed(_)
        | OrderEvent::StockConfirmed(_)
        | OrderEvent::Paid(_)
        | OrderEvent::CancellationRequested(_)
        | OrderEvent::CancellationRefused(_)
        | OrderEvent::Compensated(_)
        | OrderEvent::Closed(_)
        | OrderEvent::Shipped(_)
        | OrderEvent::Erased(_) => None,
    }
}

fn cancelled(reason: CancellationReason) -> [KeyValue; 2] {
    let reason = reason.as_str_name().trim_start_matches("CANCELLATION_REASON_").to_lowercase();
    [KeyValue::new(OUTCOME, "cancelled"), KeyValue::new(REASON, reason)]
}

#[cfg(test)]
mod tests {
    use contracts::tradewind::ordering::v1::{
        OrderCancelled, OrderClosed, OrderConfirmed, OrderDelivered, OrderShipped,
    };

    use super::*;

    #[test]
    fn an_end_is_told_by_its_event_and_a_cancellation_by_its_reason() {
        let told = |event: OrderEvent| {
            let labels = outcome(&event)?;
            Some(labels.iter().map(|label| label.value.to_string()).collect::<Vec<_>>().join(" "))
        };
        let of = |reason: i32| OrderCancelled { reason, ..OrderCancelled::default() }.into();
        assert_eq!(told(OrderConfirmed::default().into()).as_deref(), Some("confirmed"));
        assert_eq!(told(OrderDelivered::default().into()).as_deref(), Some("delivered"));
        assert_eq!(told(of(CancellationReason::OutOfStock.into())).as_deref(), Some("cancelled out_of_stock"));
        assert_eq!(told(of(9_999)).as_deref(), Some("cancelled unspecified"), "of a later build");
        assert_eq!(told(OrderShipped::default().into()), None);
        assert_eq!(told(OrderClosed::default().into()), None, "it was cancelled before");
    }

    #[test]
    fn every_reason_is_visible_before_there_is_one() {
        let known = (1..).map_while(|number| CancellationReason::try_from(number).ok());
        assert!(known.eq(REASONS));
    }
}
