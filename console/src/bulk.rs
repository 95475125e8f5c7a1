//! The same for everything that a filter finds.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use contracts::tradewind::analytics::v1::{Flow, ListStuckFlowsRequest};
use contracts::tradewind::consumer::v1::{ListConsumersRequest, ListParkedStreamsRequest, ParkedStream};
use serde::Deserialize;
use shop::{Clients, steps};

use crate::act::{Act, refused};
use crate::pages::Filter;
use crate::reason::Reason;
use crate::visitor::Visitor;
use crate::{Desk, plan};

/// The most orders that are dealt with at a time, and the most acts.
const MOST: usize = 10_000;
const PAGE: i32 = 1_000;

#[derive(Clone, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    mark: String,
    kind: Kind,
    #[serde(default)]
    reason: String,
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
    const fn title(self) -> &'static str {
        match self {
            Self::Retry => "Try again what is in quarantine, and let readers read on",
            Self::Discard => "Give up what is in quarantine",
            Self::Cancel => "Cancel the orders",
        }
    }
}

/// Shows what would be done to all of it.
pub(crate) async fn ask(
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
    plan::show(&desk, &visitor, asked.kind.title(), acts, asked.filter.path())
}

async fn acts(shop: &Clients, asked: &Asked) -> Result<Vec<Act>> {
    let reason = if asked.kind == Kind::Discard { Reason::read(&asked.reason)? } else { Reason::default() };
    let flows = flows(shop, &asked.filter).await?;
    let orders = || flows.iter().map(|flow| flow.order_id.as_str()).collect::<BTreeSet<_>>();
    let acts = match asked.kind {
        Kind::Cancel => orders().iter().map(|order| Act::Cancel { order_id: (*order).to_owned() }).collect(),
        Kind::Retry => {
            let turns = turns(&asked.filter, &flows);
            let mut acts = paused(shop, &turns).await?;
            let parked = parked(shop, &turns).await?;
            acts.extend(parked.into_iter().map(|(service, ParkedStream { consumer, source, stream, .. })| {
                Act::Replay { service, consumer, source, stream }
            }));
            acts
        }
        Kind::Discard => {
            let parked = parked(shop, &turns(&asked.filter, &flows)).await?;
            let act = |(service, parked): (String, ParkedStream)| Act::Discard {
                service,
                consumer: parked.consumer,
                source: parked.source,
                stream: parked.stream,
                position: parked.position.to_string(),
                reason: reason.clone(),
            };
            parked.into_iter().map(act).collect()
        }
    };
    few(acts.len())?;
    Ok(acts)
}

/// Whether there are no more than can be dealt with.
fn few(number: usize) -> Result<()> {
    ensure!(number <= MOST, "there is more than {MOST} to do: name a service, a step or an age");
    Ok(())
}

/// Everything that the filter finds.
async fn flows(shop: &Clients, filter: &Filter) -> Result<Vec<Flow>> {
    let mut request = ListStuckFlowsRequest { page_size: PAGE, ..filter.request()? };
    let mut flows = Vec::new();
    loop {
        let page = steps::stuck(shop, request.clone()).await?;
        flows.extend(page.flows);
        few(flows.len())?;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(flows);
        }
    }
}

/// The services whose turn it is, of those that were asked for, each with the orders in which it is: what others have to do with them was
/// not asked for.
type Turns<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn turns<'a>(filter: &Filter, flows: &'a [Flow]) -> Turns<'a> {
    let mut turns = Turns::new();
    for flow in flows {
        for turn in flow.turns.iter().filter(|turn| filter.is_of(&turn.service)) {
            turns.entry(&turn.service).or_default().insert(&flow.order_id);
        }
    }
    turns
}

/// Readers of theirs that are paused.
async fn paused(shop: &Clients, turns: &Turns<'_>) -> Result<Vec<Act>> {
    let mut acts = Vec::new();
    for service in turns.keys() {
        let answer = shop.consumers_of(service)?.list_consumers(ListConsumersRequest {}).await?.into_inner();
        let paused = answer.consumers.into_iter().filter(|consumer| consumer.pause.is_some());
        acts.extend(paused.map(|paused| Act::Resume { service: (*service).to_owned(), consumer: paused.consumer }));
    }
    Ok(acts)
}

/// What each of them has in quarantine of its orders.
async fn parked(shop: &Clients, turns: &Turns<'_>) -> Result<Vec<(String, ParkedStream)>> {
    let mut found = Vec::new();
    for (service, orders) in turns {
        let all = parked_at(shop, service, orders).await;
        let all = all.with_context(|| format!("{service} cannot be asked what it has in quarantine"))?;
        found.extend(all.into_iter().map(|stream| ((*service).to_owned(), stream)));
        few(found.len())?;
    }
    Ok(found)
}

/// Each stream of an order has its id behind the name of what it is of.
async fn parked_at(shop: &Clients, service: &str, orders: &BTreeSet<&str>) -> Result<Vec<ParkedStream>> {
    let is_wanted = |stream: &ParkedStream| stream.stream.split_once('-').is_some_and(|(_, id)| orders.contains(id));
    let mut request = ListParkedStreamsRequest { page_size: PAGE, page_token: String::new() };
    let mut streams = Vec::new();
    loop {
        let page = shop.consumers_of(service)?.list_parked_streams(request.clone()).await?.into_inner();
        streams.extend(page.streams.into_iter().filter(is_wanted));
        few(streams.len())?;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(streams);
        }
    }
}

#[cfg(test)]
mod tests;
