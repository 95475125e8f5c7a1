//! An event of an order's audit trail, as lines.

use anyhow::Result;
use contracts::tradewind::ordering::v1::RecordedOrderEvent;
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
    let facts = facts.into_iter().chain(said(recorded)?);
    facts.filter(|(_, fact)| !fact.is_empty()).try_for_each(|(name, fact)| say!("       {name:<12} {fact}"))
}

/// `ada by gateway`; nobody where an event or a deadline led to it.
fn who(RecordedOrderEvent { workload, user_id, .. }: &RecordedOrderEvent) -> String {
    if user_id.is_empty() { workload.clone() } else { format!("{user_id} by {workload}") }
}

/// What an event says, as JSON in one line; nothing where the service does not know it.
fn said(recorded: &RecordedOrderEvent) -> Result<Option<(&'static str, String)>> {
    let Value::Object(fields) = json(recorded)? else { return Ok(None) };
    // Of all its fields, it is the one that is a message; a time is a text.
    let body =
        fields.into_iter().find_map(|(_, field)| if let Value::Object(body) = field { Some(body) } else { None });
    Ok(body.map(|mut body| {
        body.remove("orderId");
        ("body", Value::Object(body).to_string())
    }))
}
