//! An event of an order's audit trail, as lines.

use anyhow::Result;
use contracts::tradewind::ordering::v1::{RecordedOrderEvent, recorded_order_event::Event};
use serde_json::Value;

use crate::output::{json, moment, say};

/// Shows one: when and what, then who asked for it and what led to it, and what it says.
pub(super) fn show(recorded: &RecordedOrderEvent) -> Result<()> {
    let name = recorded.r#type.rsplit('.').next().unwrap_or_default();
    say!("{:>3}  {}  {name}", recorded.version, moment(recorded.time.as_ref()))?;
    let position = match recorded.position {
        0 => "not in the log yet".to_owned(),
        position => format!("{position} in partition {}", recorded.partition),
    };
    let facts = [
        ("who", who(recorded)),
        ("request", recorded.request_id.clone()),
        ("event", recorded.event_id.clone()),
        ("position", position),
        ("cause", recorded.causation.clone()),
        ("correlation", recorded.correlation.clone()),
        ("trace", recorded.trace_id.clone()),
    ];
    let facts = facts.into_iter().chain(said(recorded.event.as_ref())?);
    facts.filter(|(_, fact)| !fact.is_empty()).try_for_each(|(name, fact)| say!("       {name:<12} {fact}"))
}

/// `ada by gateway`; nobody where an event or a deadline led to it.
fn who(RecordedOrderEvent { workload, user_id, .. }: &RecordedOrderEvent) -> String {
    if user_id.is_empty() { workload.clone() } else { format!("{user_id} by {workload}") }
}

/// What an event says, as JSON in one line.
fn said(event: Option<&Event>) -> Result<Option<(&'static str, String)>> {
    let Some(event) = event else { return Ok(None) };
    let said = match event {
        Event::Placed(event) => json(event),
        Event::StockConfirmed(event) => json(event),
        Event::Paid(event) => json(event),
        Event::Confirmed(event) => json(event),
        Event::CancellationRequested(event) => json(event),
        Event::CancellationRefused(event) => json(event),
        Event::Cancelled(event) => json(event),
        Event::Compensated(event) => json(event),
        Event::Closed(event) => json(event),
        Event::Shipped(event) => json(event),
        Event::Delivered(event) => json(event),
    }?;
    let without_id = match said {
        Value::Object(mut fields) => {
            fields.remove("orderId");
            Value::Object(fields)
        }
        said => said,
    };
    Ok(Some(("body", without_id.to_string())))
}
