//! How a timeline is shown: text for people, JSON for programs.

use std::collections::BTreeSet;

use anyhow::Result;
use contracts::tradewind::consumer::v1::{Attempt, Intent, Timer};
use serde_json::{Value, json};
use shop::explain::{Awaited, Facts, Happened, Reached, Reader, Step, What};
use time::OffsetDateTime;
use tradewind_domain::printable;

use crate::output::{json as as_json, moment};

/// The timeline for people.
pub(super) fn lines(facts: &Facts, steps: &[Step], awaited: &[Awaited]) -> Vec<String> {
    let mut lines = vec![format!("order {}  {}", facts.order_id, facts.status.as_deref().unwrap_or("?"))];
    let ids: BTreeSet<&str> = events(steps).map(|happened| &*happened.record.id).collect();
    for (step, (offset, gap)) in steps.iter().zip(times(steps)) {
        let text = match &step.what {
            What::Event(happened) => event(happened, &ids),
            What::Attempt(Attempt { kind, action, attempt, error, .. }) => {
                format!("{kind} {action}: attempt {attempt} failed: {error}")
            }
        };
        lines.push(format!("{offset:>8} ms  {:>9}  {:<13} {text}", format!("+{gap} ms"), step.service));
    }
    for (service, said) in &facts.said {
        lines.extend(said.progress.intents.iter().map(|intent| format!("owed     {service:<13} {}", owed(intent))));
        let timer = |Timer { name, due_time, .. }: &Timer| {
            format!("deadline {service:<13} {name} at {}", moment(due_time.as_ref()))
        };
        lines.extend(said.progress.timers.iter().map(timer));
    }
    let away = |(service, error)| format!("{service} cannot be asked, what it knows is missing here: {error}");
    lines.extend(facts.away.iter().map(away));
    lines.extend(traces(steps).into_iter().map(|trace| format!("Trace {trace}")));
    for one in awaited {
        lines.push(awaits(one, facts.now));
        lines.extend(one.remedy.iter().map(|remedy| format!("  try: {remedy}")));
    }
    if awaited.is_empty() {
        lines.push("Nothing is awaited.".to_owned());
    }
    lines.iter().map(|line| printable(line.trim_end()).into_owned()).collect()
}

/// The same for programs; payloads are left out.
pub(super) fn json(facts: &Facts, steps: &[Step], awaited: &[Awaited]) -> Result<Value> {
    let step = |(step, (offset, gap)): (&Step, (i128, i128))| {
        let mut fields = json!({ "time": step.at.to_string(), "offset_ms": millis(offset), "gap_ms": millis(gap) });
        fields["service"] = step.service.into();
        match &step.what {
            What::Event(happened) => fields["event"] = facts_of(happened),
            What::Attempt(attempt) => fields["attempt"] = as_json(attempt)?,
        }
        Ok(fields)
    };
    let steps_shown = steps.iter().zip(times(steps)).map(step).collect::<Result<Vec<Value>>>()?;
    let mut open = Vec::new();
    for (service, said) in &facts.said {
        let intents = said.progress.intents.iter().map(as_json).collect::<Result<Vec<_>>>()?;
        let timers = said.progress.timers.iter().map(as_json).collect::<Result<Vec<_>>>()?;
        let parked = said.progress.parked.iter().map(as_json).collect::<Result<Vec<_>>>()?;
        open.push(json!({ "service": service, "intents": intents, "timers": timers, "parked": parked }));
    }
    let awaits = |Awaited { any_of, after, from, until, why, remedy }: &Awaited| {
        let command = remedy.as_ref().map(ToString::to_string);
        let until = until.map(|until| until.to_string());
        json!({ "any_of": any_of, "after": after, "from": from, "until": until, "why": why, "command": command })
    };
    Ok(json!({
        "order_id": facts.order_id,
        "status": facts.status,
        "steps": steps_shown,
        "open": open,
        "awaited": awaited.iter().map(awaits).collect::<Vec<_>>(),
        "traces": traces(steps),
        "away": facts.away,
    }))
}

fn events(steps: &[Step]) -> impl Iterator<Item = &Happened> {
    steps.iter().filter_map(|step| match &step.what {
        What::Event(happened) => Some(&**happened),
        What::Attempt(_) => None,
    })
}

/// The milliseconds of each step since the first, and since the one before.
fn times(steps: &[Step]) -> impl Iterator<Item = (i128, i128)> {
    let at = |index: usize| steps.get(index).map_or(OffsetDateTime::UNIX_EPOCH, |step| step.at);
    (0..steps.len()).map(move |index| {
        let since = |other: usize| (at(index) - at(other)).whole_milliseconds();
        (since(0), since(index.saturating_sub(1)))
    })
}

fn millis(time: i128) -> Value {
    i64::try_from(time).unwrap_or(i64::MAX).into()
}

fn event(happened: &Happened, ids: &BTreeSet<&str>) -> String {
    let record = &happened.record;
    let place = match record.position {
        0 => "not in the log yet".to_owned(),
        position => format!("{}/{position}", record.partition),
    };
    let mut text = format!("{:<28} version {:<3} {place:<8}", happened.name(), record.version);
    let states = [
        (Reached::Handled, "handled by"),
        (Reached::NotYet, "not yet handled by"),
        (Reached::Parked, "IN QUARANTINE at"),
        (Reached::Unknown, "not known of"),
    ];
    for (state, words) in states {
        // One service may read it for several ends.
        let services: BTreeSet<_> =
            happened.readers.iter().filter(|reader| reader.reached == state).map(|reader| reader.service).collect();
        if !services.is_empty() {
            text.push_str(&format!("  {words} {}", Vec::from_iter(services).join(", ")));
        }
    }
    if happened.compensates {
        text.push_str("  compensation");
    }
    if !happened.remark.is_empty() {
        text.push_str("  ");
        text.push_str(&happened.remark);
    }
    if !record.causation.is_empty() && !ids.contains(&*record.causation) {
        text.push_str("  caused by ");
        text.push_str(&record.causation);
    }
    text
}

fn owed(Intent { kind, action, attempt, due_time, claimed_by, claim_end_time, last_error, .. }: &Intent) -> String {
    let mut text = format!("{kind} {action}, {attempt} attempts failed, due {}", moment(due_time.as_ref()));
    if !claimed_by.is_empty() {
        text.push_str(&format!(", claimed by {claimed_by} until {}", moment(claim_end_time.as_ref())));
    }
    if !last_error.is_empty() {
        text.push_str(&format!(": {last_error}"));
    }
    text
}

fn awaits(Awaited { any_of, after, from, until, why, .. }: &Awaited, now: OffsetDateTime) -> String {
    let until = until.map_or_else(String::new, |until| {
        let left = (until - now).whole_seconds();
        let until = prost_types::Timestamp { seconds: until.unix_timestamp(), nanos: 0 };
        match left {
            0.. => format!(" until {until} (in {left} s)"),
            _ => format!(" until {until} (LATE by {} s)", -left),
        }
    });
    format!("Awaited: {} after {after}, from {from}{until}: {why}", any_of.join(" or "))
}

fn facts_of(happened: &Happened) -> Value {
    let record = &happened.record;
    let reader = |Reader { service, reaction, reached, .. }: &Reader| {
        let reached = match reached {
            Reached::Handled => "handled",
            Reached::NotYet => "not yet",
            Reached::Parked => "parked",
            Reached::Unknown => "unknown",
        };
        json!({ "service": service, "reaction": reaction, "reached": reached })
    };
    json!({
        "name": happened.name(),
        "id": record.id,
        "stream": record.stream,
        "version": record.version,
        "partition": record.partition,
        "position": record.position,
        "causation": record.causation,
        "compensation": happened.compensates,
        "remark": happened.remark,
        "readers": happened.readers.iter().map(reader).collect::<Vec<_>>(),
    })
}

/// The ids of the traces in which the events were recorded.
fn traces(steps: &[Step]) -> BTreeSet<&str> {
    events(steps).filter_map(|happened| happened.record.traceparent.split('-').nth(1)).collect()
}
