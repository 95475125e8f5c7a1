//! One order: what it is, what it waits for, and everything that happened to it, with the time between.

use anyhow::Result;
use contracts::tradewind::consumer::v1::{Intent, Timer};
use contracts::tradewind::eventlog::v1::EventRecord;
use contracts::tradewind::ordering::v1::{GetOrderRequest, Order, OrderStatus};
use maud::{Markup, html};
use shop::explain::{Awaited, Facts, What, awaited, gather, steps};
use shop::money;
use time::OffsetDateTime;

use super::stuck::help;
use super::waterfall::waterfall;
use crate::act::Act;
use crate::fault::Fault;
use crate::frame::View;
use crate::live::{At, Look};
use crate::words::{self, away, short, span};

pub(crate) async fn order(look: Look, At(order_id): At<String>) -> Result<View, Fault> {
    let shop = look.shop();
    let facts = gather(shop, &order_id).await?;
    let steps = steps(&facts)?;
    let awaited = awaited(&facts, &steps);
    let request = GetOrderRequest { order_id: order_id.clone(), as_of: None };
    let placed = shop.ordering()?.get_order(request).await.ok().and_then(|answer| answer.into_inner().order);
    let live = html! {
        p { "It is " b { (facts.status.as_deref().unwrap_or("not known of").to_lowercase().replace('_', " ")) } "." }
        @if let Some(placed) = &placed { (what(placed)) }
        (away(&facts.away))
        (waits(&look, &facts, &awaited))
        (waterfall(&steps))
        (owed(&facts))
        h2 { "Events" }
        @for step in &steps {
            @if let What::Event(happened) = &step.what { (event(step.service, &happened.record)) }
        }
    };
    let is_over = placed.is_some_and(|placed| placed.status() == OrderStatus::Cancelled);
    let still = html! {
        p { code { (order_id) } }
        @if !is_over { (Act::Cancel { order_id: order_id.clone() }.form(&look, "Cancel the order", &[])) }
    };
    Ok(View { title: "Order".to_owned(), still, live })
}

fn what(order: &Order) -> Markup {
    html! {
        dl {
            dt { "Customer" } dd { bdi { (order.customer_id) } }
            dt { "Total" } dd { (money(order.total.as_ref())) }
            @if let Some(refunded) = &order.refunded { dt { "Paid back" } dd { (money(Some(refunded))) } }
            @if !order.country.is_empty() { dt { "Country" } dd { (order.country) } }
            @if !order.tracking.is_empty() { dt { "Tracking" } dd { bdi { (order.tracking) } } }
            @if !order.cancellation_detail.is_empty() { dt { "Cancelled for" } dd { bdi { (order.cancellation_detail) } } }
            dt { "Lines" }
            dd {
                @for line in &order.lines {
                    div { (line.quantity) " x " bdi { (line.product_id) } " at " (money(line.unit_price.as_ref())) }
                }
            }
        }
    }
}

fn waits(look: &Look, facts: &Facts, awaited: &[Awaited]) -> Markup {
    html! {
        @if awaited.is_empty() { p.fine { "Nothing is awaited." } }
        @for Awaited { any_of, after, from, until, why, remedy } in awaited {
            section.why {
                h2 { "Awaits " (any_of.join(" or ")) ", after " (after) ", from " (from) }
                p {
                    @if let Some(until) = until { (left(*until, facts.now)) ": " }
                    (why) " " (help(look, remedy.as_ref()))
                }
            }
        }
    }
}

fn left(until: OffsetDateTime, now: OffsetDateTime) -> Markup {
    let left = (until - now).whole_seconds();
    html! { @if left < 0 { b.bad { "late by " (span(left)) } } @else { (span(left)) " left" } }
}

fn owed(facts: &Facts) -> Markup {
    let intents: Vec<(&str, &Intent)> =
        facts.said.iter().flat_map(|(service, said)| said.progress.intents.iter().map(|one| (*service, one))).collect();
    let timers: Vec<(&str, &Timer)> =
        facts.said.iter().flat_map(|(service, said)| said.progress.timers.iter().map(|one| (*service, one))).collect();
    html! {
        @if !intents.is_empty() || !timers.is_empty() {
            h2 { "Under way" }
            ul {
                @for (service, Intent { kind, action, attempt, due_time, last_error, .. }) in intents {
                    li {
                        b { (service) } " calls " (kind) " " (action) ": " (attempt) " attempts failed, due " (words::time(due_time.as_ref()))
                        @if !last_error.is_empty() { ": " bdi { (last_error) } }
                    }
                }
                @for (service, Timer { name, due_time, .. }) in timers {
                    li { b { (service) } " looks again (" (name) ") at " (words::time(due_time.as_ref())) }
                }
            }
        }
    }
}

fn event(service: &str, record: &EventRecord) -> Markup {
    let trace = record.traceparent.split('-').nth(1).unwrap_or_default();
    html! {
        details.event #{ "event-" (record.id) } {
            summary { (short(&record.r#type)) " " span.soft { (service) ", " (words::time(record.time.as_ref())) } }
            dl {
                dt { "Stream" } dd { code { (record.stream) } ", version " (record.version) }
                dt { "Place" } dd { @if record.position == 0 { "not in the log yet" } @else { (record.position) " in partition " (record.partition) } }
                dt { "Event" } dd { code { (record.id) } }
                dt { "Cause" } dd { code { (record.causation) } }
                @if !trace.is_empty() { dt { "Trace" } dd { code { (trace) } } }
            }
            pre tabindex="0" { (words::body(&record.r#type, &record.payload)) }
        }
    }
}
