//! How flows are shown to people: what is known of each kind, then a line each.

use contracts::tradewind::analytics::v1::{AgeClass, Flow, FlowStep, FlowSum, FlowTurn, ListStuckFlowsResponse};
use prost_types::Duration;
use shop::Reason;
use shop::explain::Held;
use tradewind_domain::printable;

use crate::output::{moment, word};

/// From so many events on that analytics has not read yet, what it shows may be long over.
const BEHIND: u64 = 1_000;

/// What waits, for people, where analytics has so many events still to read, if that is known.
pub(super) fn lines(found: &ListStuckFlowsResponse, reasons: &[Reason], behind: Option<u64>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(behind) = behind.filter(|behind| *behind >= BEHIND) {
        lines.push(format!(
            "analytics has {behind} events still to read: what is shown may be settled, and more may wait."
        ));
    }
    let Some(first) = found.flows.first() else {
        lines.push("Nothing of what was asked for waits.".to_owned());
        return lines;
    };
    if found.sums_limited {
        let summed: i64 = found.sums.iter().map(|sum| sum.count).sum();
        lines.push(format!("More may wait than are summed up here: these are the {summed} that have waited longest."));
    }
    for FlowSum { step, age_class, count, oldest_time, turns } in &found.sums {
        let class = word(*age_class, AgeClass::as_str_name, "AGE_CLASS_");
        lines.push(format!(
            "{count:>6}  {:<7}  {}, the first since {}",
            class,
            waits(step.as_ref(), turns),
            moment(oldest_time.as_ref())
        ));
    }
    for Reason { event, order_id, held } in reasons {
        let of = format!("why {} waits, of {order_id}", short(event));
        match held {
            Ok(held) => {
                for Held { from, why, remedy } in held {
                    lines.push(format!("{of}: {from}: {why}"));
                    lines.extend(remedy.iter().map(|remedy| format!("  try: {remedy}")));
                }
            }
            Err(error) => lines.push(format!("{of}: {error}")),
        }
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.extend(found.flows.iter().map(line));
    lines.push(format!("next: tradewind order explain {}", first.order_id));
    lines.iter().map(|line| printable(line.trim_end()).into_owned()).collect()
}

fn line(flow: &Flow) -> String {
    let seconds = |time: &Option<prost_types::Timestamp>| time.map_or(0, |time| time.seconds);
    let age = flow.age.map_or(0, |Duration { seconds, .. }| seconds);
    let left = seconds(&flow.due_time) - seconds(&flow.since_time) - age;
    let until = if left < 0 { format!("LATE by {}", span(-left)) } else { format!("{} left", span(left)) };
    let since = moment(flow.since_time.as_ref());
    format!("{}  {} since {since} ({}, {until})", flow.order_id, waits(flow.step.as_ref(), &flow.turns), span(age))
}

/// `OrderPaid awaits OrderConfirmed or OrderCancelled of shipping (book_on_order_paid)`.
fn waits(step: Option<&FlowStep>, turns: &[FlowTurn]) -> String {
    let Some(FlowStep { event, any_of, .. }) = step else { return "?".to_owned() };
    let turn = |FlowTurn { service, reaction }: &FlowTurn| match reaction.as_str() {
        "" => service.clone(),
        _ => format!("{service} ({reaction})"),
    };
    let turns: Vec<_> = turns.iter().map(turn).collect();
    let any_of: Vec<_> = any_of.iter().map(|name| short(name)).collect();
    format!("{} awaits {} of {}", short(event), any_of.join(" or "), turns.join(", "))
}

fn short(event: &str) -> &str {
    event.rsplit('.').next().unwrap_or_default()
}

fn span(seconds: i64) -> String {
    humantime::format_duration(std::time::Duration::from_secs(seconds.unsigned_abs())).to_string()
}
