//! Looking at the quarantine, which changes nothing.

use std::process::ExitCode;

use anyhow::Result;
use contracts::tradewind::consumer::v1::{
    Act, ActKind, ActOutcome, GetParkedStreamRequest, GetParkedStreamResponse, ListActsRequest, ParkedEvent,
    ParkedStream,
};
use contracts::tradewind::eventlog::v1::EventRecord;
use serde_json::{Value, json};
use supervisor::services;

use super::{PAGE, Stream, find, parked};
use crate::body;
use crate::output::{document, json as as_json, moment, more, of_each, print_json, say, word};
use shop::Clients;

pub(super) async fn list(shop: &Clients, only: Option<&str>, json: bool) -> Result<ExitCode> {
    let services = only.map_or_else(|| services::names().to_vec(), |service| vec![service]);
    let (answers, away) = of_each(&services, async |service| parked(shop, service).await).await;
    let streams = || answers.iter().flat_map(|(service, found)| found.iter().map(move |stream| (*service, stream)));
    if json {
        let mut shown = Vec::new();
        for (service, stream) in streams() {
            let mut facts = as_json(stream)?;
            facts["service"] = Value::from(service);
            shown.push(facts);
        }
        document(&json!({ "streams": shown, "away": away }))?;
    } else {
        streams().try_for_each(|(service, stream)| say!("{}", line(service, stream)))?;
        if answers.iter().all(|(_, found)| found.is_empty()) {
            say!("nothing is in quarantine")?;
        }
        away.iter().try_for_each(|(service, error)| say!("{service:<13} cannot be asked: {error}"))?;
    }
    Ok(if away.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(service: &str, stream: &ParkedStream) -> String {
    let ParkedStream { consumer, source, stream: name, reason, queued, park_time, .. } = stream;
    let since = moment(park_time.as_ref());
    format!("{service:<13} {consumer:<20} {name} of {source}  {reason}, {queued} behind it, since {since}")
}

pub(super) async fn show(shop: &Clients, stream: &Stream, json: bool) -> Result<ExitCode> {
    let ParkedStream { consumer, source, stream: name, .. } = find(shop, stream).await?;
    let request = GetParkedStreamRequest {
        consumer: consumer.clone(),
        source: source.clone(),
        stream: name.clone(),
        page_size: PAGE,
        page_token: String::new(),
    };
    let page = shop.consumers_of(&stream.service)?.get_parked_stream(request).await?.into_inner();
    let GetParkedStreamResponse { events, total_size, .. } = page;
    if json {
        let events = events.iter().map(event_json).collect::<Result<Vec<_>>>()?;
        let service = &stream.service;
        document(
            &json!({ "service": service, "consumer": consumer, "source": source, "stream": name, "total": total_size,
                    "events": events }),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("{name} of {source}, in quarantine for {consumer} of {}: {total_size} events", stream.service)?;
    let Some((first, behind)) = events.split_first() else { return Ok(ExitCode::SUCCESS) };
    print_first(first)?;
    if !behind.is_empty() {
        say!("")?;
        say!("behind it:")?;
    }
    for parked in behind {
        let EventRecord { position, r#type, time, .. } = parked.event.clone().unwrap_or_default();
        say!("  position {position}  {}  recorded {}", r#type, moment(time.as_ref()))?;
    }
    let unseen = total_size.saturating_sub(u64::try_from(events.len())?);
    if unseen > 0 {
        say!("  and {unseen} more")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_first(ParkedEvent { event, reason, error, attempts, park_time }: &ParkedEvent) -> Result<()> {
    let event = event.clone().unwrap_or_default();
    let body = body::of(&event.r#type, &event.payload)?.text();
    let facts = [
        ("event", format!("{} ({})", event.r#type, event.id)),
        ("position", format!("{} in partition {}", event.position, event.partition)),
        ("version", event.version.to_string()),
        ("error", if error.is_empty() { reason.clone() } else { format!("{reason}: {error}") }),
        ("attempts", attempts.to_string()),
        ("recorded", moment(event.time.as_ref())),
        ("parked", moment(park_time.as_ref())),
        ("trace", trace_id(&event).to_owned()),
        ("correlation", event.correlation),
        ("cause", event.causation),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        say!("  {name:<12} {value}")?;
    }
    body.lines()
        .zip(std::iter::once("body").chain(std::iter::repeat("")))
        .try_for_each(|(line, name)| say!("  {name:<12} {line}"))
}

/// Everything about an event in quarantine, but what is sensitive in its body.
fn event_json(parked: &ParkedEvent) -> Result<Value> {
    let event = parked.event.clone().unwrap_or_default();
    let mut shown = as_json(parked)?;
    shown["event"]["payload"] = body::of(&event.r#type, &event.payload)?.json();
    shown["event"]["traceId"] = trace_id(&event).into();
    Ok(shown)
}

/// The trace id within the W3C trace context of an event.
fn trace_id(event: &EventRecord) -> &str {
    event.traceparent.split('-').nth(1).unwrap_or_default()
}

pub(super) async fn log(
    shop: &Clients,
    service: &str,
    page_size: i32,
    page_token: String,
    json: bool,
) -> Result<ExitCode> {
    let request = ListActsRequest { page_size, page_token };
    let response = shop.consumers_of(service)?.list_acts(request).await?.into_inner();
    if json {
        print_json(&response)?;
        return Ok(ExitCode::SUCCESS);
    }
    for act in &response.acts {
        let Act { time, principal, consumer, source, stream, position, detail, .. } = act;
        let kind = word(act.kind, ActKind::as_str_name, "ACT_KIND_");
        let outcome = word(act.outcome, ActOutcome::as_str_name, "ACT_OUTCOME_");
        let about = if stream.is_empty() { String::new() } else { format!("  {stream} of {source}") };
        let event = if *position == 0 { String::new() } else { format!(" at {position}") };
        say!("{}  {principal}  {kind:<8} {outcome:<8} {consumer}{about}{event}  {detail}", moment(time.as_ref()))?;
    }
    more(&response.next_page_token)?;
    Ok(ExitCode::SUCCESS)
}
