//! Trying again, giving up, and rehearsing either.

use std::process::ExitCode;

use anyhow::Result;
use contracts::tradewind::consumer::v1::{
    DiscardParkedEventRequest, Outcome, ParkedStream, ReplayParkedStreamRequest, ReplayParkedStreamResponse, TriedEvent,
};
use serde_json::{Value, json};

use super::{OneOrAll, Stream, find, parked};
use crate::output::{document, json as as_json, print_json, say};
use shop::Clients;

pub(super) async fn replay(shop: &Clients, what: OneOrAll, dry_run: bool, json: bool) -> Result<ExitCode> {
    let service = what.service.clone();
    let streams = match what.stream {
        Some(stream) => vec![find(shop, &Stream { service: what.service, stream, consumer: what.consumer }).await?],
        None => {
            let mut all = parked(shop, &service).await?;
            all.retain(|stream| what.consumer.as_ref().is_none_or(|name| *name == stream.consumer));
            all
        }
    };
    let mut failed = false;
    let mut shown = Vec::new();
    for stream in streams {
        let response = replay_one(shop, &service, &stream, dry_run).await?;
        failed |= has_failed(&response.events);
        if json {
            let mut facts = as_json(&response)?;
            facts["stream"] = Value::from(stream.stream);
            facts["consumer"] = Value::from(stream.consumer);
            shown.push(facts);
        } else {
            say!("{} of {} for {}", stream.stream, stream.source, stream.consumer)?;
            print(&response.events, response.remaining, dry_run)?;
        }
    }
    if json {
        document(&json!({ "service": service, "dryRun": dry_run, "streams": shown }))?;
    }
    Ok(exit(failed))
}

/// Replays a whole stream, or rehearses the part of it that one rehearsal reaches.
async fn replay_one(
    shop: &Clients,
    service: &str,
    stream: &ParkedStream,
    dry_run: bool,
) -> Result<ReplayParkedStreamResponse> {
    let ParkedStream { consumer, source, stream, .. } = stream.clone();
    let request = ReplayParkedStreamRequest { consumer, source, stream, dry_run };
    let mut client = shop.consumers_of(service)?;
    let mut whole = client.replay_parked_stream(request.clone()).await?.into_inner();
    while !dry_run && whole.remaining > 0 && !has_failed(&whole.events) {
        let next = client.replay_parked_stream(request.clone()).await?.into_inner();
        whole.events.extend(next.events);
        whole.remaining = next.remaining;
    }
    Ok(whole)
}

pub(super) async fn discard(
    shop: &Clients,
    stream: &Stream,
    position: u64,
    reason: String,
    dry_run: bool,
    json: bool,
) -> Result<ExitCode> {
    let ParkedStream { consumer, source, stream: name, .. } = find(shop, stream).await?;
    let request = DiscardParkedEventRequest { consumer, source, stream: name, position, reason, dry_run };
    let response = shop.consumers_of(&stream.service)?.discard_parked_event(request).await?.into_inner();
    if json {
        print_json(&response)?
    } else {
        print(&response.events, response.remaining, dry_run)?
    }
    Ok(exit(has_failed(&response.events)))
}

fn print(events: &[TriedEvent], remaining: u64, dry_run: bool) -> Result<()> {
    for tried in events {
        let TriedEvent { position, r#type, from_owner, reason, error, .. } = tried;
        let outcome = match Outcome::try_from(tried.outcome) {
            Ok(Outcome::Handled) if dry_run => "would be handled".to_owned(),
            Ok(Outcome::Handled) => "handled".to_owned(),
            Ok(Outcome::Discarded) if dry_run => "would be given up".to_owned(),
            Ok(Outcome::Discarded) => "given up".to_owned(),
            Ok(_) if dry_run => format!("would fail: {reason}: {error}"),
            Ok(_) => format!("failed again: {reason}: {error}"),
            Err(_) => format!("came to what only a later program knows, {}: {reason}: {error}", tried.outcome),
        };
        let copied = !from_owner && tried.outcome() == Outcome::Handled;
        let copy = if copied { " (the copy in quarantine; its owner could not be asked)" } else { "" };
        say!("  position {position}  {}  {outcome}{copy}", r#type.rsplit('.').next().unwrap_or_default())?;
    }
    let left = if dry_run { "would be left" } else { "left" };
    say!("  {remaining} {left} in quarantine")
}

/// What this program has no name for is not known to have gone well.
fn has_failed(events: &[TriedEvent]) -> bool {
    events.iter().any(|tried| !matches!(tried.outcome(), Outcome::Handled | Outcome::Discarded))
}

fn exit(failed: bool) -> ExitCode {
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
