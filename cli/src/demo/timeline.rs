//! Everything that happened to one order, from the event logs of all services.

use anyhow::{Context, Result};
use contracts::tradewind::eventlog::v1::{EventRecord, ReadKeyRequest};
use shop::{Clients, remark};
use supervisor::services;
use time::OffsetDateTime;

use super::patiently;
use crate::output::dynamic_json;

/// The events about one order, oldest first.
pub(crate) struct Timeline {
    order_id: String,
    entries: Vec<Entry>,
}

struct Entry {
    service: &'static str,
    event: String,
    at: OffsetDateTime,
    facts: serde_json::Value,
}

/// Asks every service what it recorded about an order, and waits for one that is away.
///
/// # Errors
/// When a service refuses to tell.
pub(crate) async fn of(shop: &Clients, order_id: &str) -> Result<Timeline> {
    let mut entries = Vec::new();
    for service in services::participants() {
        let request = ReadKeyRequest { key: order_id.to_owned(), ..ReadKeyRequest::default() };
        let log = shop.log_of(service)?;
        let read = || {
            let (mut log, request) = (log.clone(), request.clone());
            async move { log.read_key(request).await }
        };
        let response = patiently(read).await?;
        for record in response.into_inner().events {
            entries.push(entry(service, record)?);
        }
    }
    entries.sort_by_key(|entry| entry.at);
    Ok(Timeline { order_id: order_id.to_owned(), entries })
}

fn entry(service: &'static str, record: EventRecord) -> Result<Entry> {
    let stamp = record.time.context("an event without a time")?;
    let at = OffsetDateTime::from_unix_timestamp(stamp.seconds)? + time::Duration::nanoseconds(i64::from(stamp.nanos));
    let facts = dynamic_json(&record.r#type, &record.payload)?;
    let event = record.r#type.rsplit('.').next().unwrap_or_default().to_owned();
    Ok(Entry { service, event, at, facts })
}

impl Timeline {
    /// One line an event, timed from the first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let Some(first) = self.entries.first().map(|entry| entry.at) else { return Vec::new() };
        let mut lines = vec![format!("order {}", self.order_id)];
        lines.extend(self.entries.iter().map(|Entry { service, event, at, facts }| {
            let after = (*at - first).as_seconds_f32();
            format!("{after:>8.3} s  {service:<10} {event:<30} {}", remark(facts)).trim_end().to_owned()
        }));
        lines
    }

    /// The same for programs; personal data is left out.
    pub(crate) fn json(&self) -> serde_json::Value {
        let events: Vec<_> = self
            .entries
            .iter()
            .map(|entry| serde_json::json!({ "service": entry.service, "event": entry.event, "time": entry.at.to_string() }))
            .collect();
        serde_json::json!({ "order_id": self.order_id, "events": events })
    }
}
