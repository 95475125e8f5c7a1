//! The same for everything that a filter finds: first what would be done, then, once that was said to be right, the doing of it.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use contracts::tradewind::analytics::v1::{Flow, ListStuckFlowsRequest};
use contracts::tradewind::consumer::v1::{ListConsumersRequest, ListParkedStreamsRequest, ParkedStream};
use maud::html;
use serde::Deserialize;
use shop::Clients;

use crate::Desk;
use crate::act::{Act, reason, refused};
use crate::door::Visitor;
use crate::frame::{self, View};
use crate::pages::Filter;
use crate::words::count;

/// The most orders that are dealt with at a time.
const MOST: usize = 10_000;
const PAGE: i32 = 1_000;
/// How many acts are shown before.
const SHOWN: usize = 50;

#[derive(Clone, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    mark: String,
    kind: Kind,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    confirmed: String,
    #[serde(flatten)]
    filter: Filter,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Retry,
    Discard,
    Cancel,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Discard => "discard",
            Self::Cancel => "cancel",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Retry => "Try again what is in quarantine, and let readers read on",
            Self::Discard => "Give up what is in quarantine",
            Self::Cancel => "Cancel the orders",
        }
    }
}

/// Shows what would be done, or does it.
pub(crate) async fn plan(
    State(desk): State<Desk>,
    Extension(visitor): Extension<Visitor>,
    Form(asked): Form<Asked>,
) -> Response {
    if let Some(refused) = refused(&asked.mark, &visitor) {
        return refused;
    }
    let acts = match acts(&desk.shop_for(&visitor), &asked).await {
        Ok(acts) => acts,
        Err(error) => {
            desk.door.note(&visitor, format!("Not done: {}", shop::explain_error(&error)));
            return Redirect::to(&asked.filter.path()).into_response();
        }
    };
    let title = asked.kind.title();
    if !asked.confirmed.is_empty() {
        let number = desk.jobs.begin(&desk, visitor, title.to_owned(), acts);
        return Redirect::to(&format!("/console/jobs/{number}")).into_response();
    }
    let hidden = asked.filter.pairs();
    let still = html! {
        @if acts.is_empty() {
            p { "There is nothing to do for what was asked for: nothing of it is in quarantine, and no reader of it is paused." }
        } @else {
            p { "This would be done, " b { (count(i128::try_from(acts.len()).unwrap_or_default())) } " in all. Nothing has been yet." }
            ul.plan {
                @for act in acts.iter().take(SHOWN) { li { (act.words()) } }
                @if acts.len() > SHOWN { li { "and " (acts.len() - SHOWN) " more" } }
            }
            form method="post" action="/console/bulk" {
                (frame::mark(&visitor))
                input type="hidden" name="kind" value=(asked.kind.name());
                input type="hidden" name="reason" value=(asked.reason);
                input type="hidden" name="confirmed" value="yes";
                @for (name, value) in &hidden { input type="hidden" name=(name) value=(value); }
                button #confirm.danger { "Do it" }
            }
        }
        p { a href=(asked.filter.path()) { "Back, and change nothing" } }
    };
    let view = View { title: title.to_owned(), still, live: html! {} };
    frame::page("/console", &visitor, &desk.door.notes(&visitor), &view).into_response()
}

async fn acts(shop: &Clients, asked: &Asked) -> Result<Vec<Act>> {
    let flows = flows(shop, &asked.filter).await?;
    let orders: BTreeSet<&str> = flows.iter().map(|flow| flow.order_id.as_str()).collect();
    match asked.kind {
        Kind::Cancel => Ok(orders.iter().map(|order| Act::Cancel { order_id: (*order).to_owned() }).collect()),
        Kind::Retry => {
            let mut acts = paused(shop, &flows).await?;
            let parked = parked(shop, &orders).await?;
            acts.extend(parked.into_iter().map(|(service, ParkedStream { consumer, source, stream, .. })| {
                Act::Replay { service, consumer, source, stream }
            }));
            Ok(acts)
        }
        Kind::Discard => {
            let reason = reason(&asked.reason)?;
            let parked = parked(shop, &orders).await?;
            let act = |(service, parked): (String, ParkedStream)| Act::Discard {
                service,
                consumer: parked.consumer,
                source: parked.source,
                stream: parked.stream,
                position: parked.position.to_string(),
                reason: reason.clone(),
            };
            Ok(parked.into_iter().map(act).collect())
        }
    }
}

/// Everything that the filter finds.
async fn flows(shop: &Clients, filter: &Filter) -> Result<Vec<Flow>> {
    let mut request = ListStuckFlowsRequest { page_size: PAGE, ..filter.request()? };
    let mut flows = Vec::new();
    loop {
        let page = shop.flows()?.list_stuck_flows(request.clone()).await?.into_inner();
        flows.extend(page.flows.into_iter().filter(|flow| filter.takes(flow)));
        if flows.len() > MOST {
            bail!("more than {MOST} orders wait so: name a service, a step or an age");
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(flows);
        }
    }
}

/// Readers that are paused of those whose turn it is.
async fn paused(shop: &Clients, flows: &[Flow]) -> Result<Vec<Act>> {
    let services: BTreeSet<&str> =
        flows.iter().flat_map(|flow| &flow.turns).map(|turn| turn.service.as_str()).collect();
    let mut acts = Vec::new();
    for service in services {
        let answer = shop.consumers_of(service)?.list_consumers(ListConsumersRequest {}).await?.into_inner();
        let paused = answer.consumers.into_iter().filter(|consumer| consumer.pause.is_some());
        acts.extend(paused.map(|paused| Act::Resume { service: service.to_owned(), consumer: paused.consumer }));
    }
    Ok(acts)
}

/// What services have in quarantine of these orders: each stream of an order has its id behind the name of what it is of.
async fn parked(shop: &Clients, orders: &BTreeSet<&str>) -> Result<Vec<(String, ParkedStream)>> {
    let is_wanted = |stream: &ParkedStream| stream.stream.split_once('-').is_some_and(|(_, id)| orders.contains(id));
    let mut found = Vec::new();
    for service in shop.services() {
        let all = parked_at(shop, service).await;
        let all = all.with_context(|| format!("{service} cannot be asked what it has in quarantine"))?;
        found.extend(all.into_iter().filter(is_wanted).map(|stream| (service.to_owned(), stream)));
    }
    Ok(found)
}

async fn parked_at(shop: &Clients, service: &str) -> Result<Vec<ParkedStream>> {
    let mut request = ListParkedStreamsRequest { page_size: PAGE, page_token: String::new() };
    let mut streams = Vec::new();
    loop {
        let page = shop.consumers_of(service)?.list_parked_streams(request.clone()).await?.into_inner();
        streams.extend(page.streams);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(streams);
        }
    }
}
