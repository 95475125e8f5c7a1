//! What services could not handle, and the ways out of it.

use anyhow::Result;
use axum::extract::Query;
use contracts::tradewind::consumer::v1::{
    Act as Acted, ActKind, ActOutcome, GetParkedStreamRequest, ListActsRequest, ListActsResponse,
    ListParkedStreamsRequest, ListParkedStreamsResponse, ParkedEvent, ParkedStream,
};
use maud::{Markup, html};
use serde::Deserialize;
use shop::{Clients, of_each, word};

use crate::act::Act;
use crate::fault::Fault;
use crate::frame::View;
use crate::live::Look;
use crate::reason::Reason;
use crate::words::{away, body, count, next, query, short, time};

const PAGE: i32 = 100;
/// Of what was done, at each service where all are shown.
const ACTS: i32 = 10;

#[derive(Clone, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    service: String,
    #[serde(default)]
    page_token: String,
    #[serde(default)]
    acts_token: String,
}

pub(crate) async fn quarantine(look: Look, Query(asked): Query<Asked>) -> Result<View, Fault> {
    let shop = look.shop();
    let services = shop.services().filter(|name| asked.service.is_empty() || asked.service == *name);
    // Tokens are of one service.
    let of_one = if asked.service.is_empty() { None } else { Some(&asked) };
    let (found, missing) = of_each(services.map(|service| (service, ask(shop, service, of_one)))).await;
    let live = html! {
        (away(&missing))
        @if missing.is_empty() && found.iter().all(|(_, (page, _))| page.streams.is_empty()) { p.fine { "Nothing is in quarantine." } }
        @for (service, (page, _)) in &found {
            @if !page.streams.is_empty() {
                h2 { (service) }
                (streams(&look, service, &page.streams))
                (next("streams", "/console/quarantine", &[("service", service)], ("page_token", &page.next_page_token)))
            }
        }
        h2 { "What was done" }
        (acts(found.iter().flat_map(|(service, (_, done))| done.acts.iter().map(move |act| (*service, act)))))
        @for (service, (_, done)) in &found {
            (next(&format!("acts at {service}"), "/console/quarantine", &[("service", service)], ("acts_token", &done.next_page_token)))
        }
    };
    Ok(View { title: "Quarantine".to_owned(), still: html! {}, live })
}

type Found = (ListParkedStreamsResponse, ListActsResponse);

async fn ask(shop: &Clients, service: &str, of_one: Option<&Asked>) -> Result<Found> {
    let token = |of: fn(&Asked) -> &String| of_one.map(of).cloned().unwrap_or_default();
    let (page_size, acts) = (PAGE, if of_one.is_some() { PAGE } else { ACTS });
    let mut client = shop.consumers_of(service)?;
    let request = ListParkedStreamsRequest { page_size, page_token: token(|asked| &asked.page_token) };
    let streams = client.list_parked_streams(request).await?.into_inner();
    let request = ListActsRequest { page_size: acts, page_token: token(|asked| &asked.acts_token) };
    Ok((streams, client.list_acts(request).await?.into_inner()))
}

fn streams(look: &Look, service: &str, streams: &[ParkedStream]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label={ "In quarantine at " (service) } {
            table {
                thead { tr { th scope="col" { "Stream" } th scope="col" { "Event" } th scope="col" { "Why" } th.number scope="col" { "Tried" } th.number scope="col" { "Behind it" } th scope="col" { "Since" } th scope="col" { "Do" } } }
                tbody {
                    @for one in streams {
                        tr {
                            td { a href={ "/console/quarantine/stream" (path(service, one)) } { code { (one.stream) } } }
                            td { (short(&one.r#type)) }
                            td { b { (one.reason) } " " bdi { (one.error) } }
                            td.number { (one.attempts) }
                            td.number { (count(one.queued)) }
                            td { (time(one.park_time.as_ref())) }
                            td { (replay(service, one).form(look, "Try again", &[])) }
                        }
                    }
                }
            }
        }
    }
}

fn path(service: &str, one: &ParkedStream) -> String {
    query(&[("service", service), ("consumer", &one.consumer), ("source", &one.source), ("stream", &one.stream)])
}

fn replay(service: &str, one: &ParkedStream) -> Act {
    let (consumer, source, stream) = (one.consumer.clone(), one.source.clone(), one.stream.clone());
    Act::Replay { service: service.to_owned(), consumer, source, stream }
}

fn acts<'a>(acts: impl Iterator<Item = (&'a str, &'a Acted)>) -> Markup {
    let mut acts: Vec<_> = acts.collect();
    acts.sort_by_key(|(_, act)| std::cmp::Reverse(act.time.map(|time| (time.seconds, time.nanos))));
    html! {
        @if acts.is_empty() { p.soft { "Nothing yet." } } @else {
            div.wide tabindex="0" role="region" aria-label="What was done" {
                table {
                    thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "To" } th scope="col" { "Came of it" } th scope="col" { "Why" } } }
                    tbody {
                        @for (service, act) in acts {
                            tr {
                                td { (time(act.time.as_ref())) }
                                td { bdi { (act.principal) } }
                                td { (word(act.kind, ActKind::as_str_name, "ACT_KIND_").to_lowercase()) }
                                td { (service) " " (act.consumer) " " code { (act.stream) } }
                                td { (word(act.outcome, ActOutcome::as_str_name, "ACT_OUTCOME_").to_lowercase()) }
                                td { bdi { (act.detail) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[derive(Clone, Deserialize)]
pub(crate) struct Named {
    service: String,
    consumer: String,
    source: String,
    stream: String,
    #[serde(default)]
    page_token: String,
}

/// The events of one stream, and what each says.
pub(crate) async fn parked(look: Look, Query(named): Query<Named>) -> Result<View, Fault> {
    let Named { service, consumer, source, stream, page_token } = named;
    let is_first = page_token.is_empty();
    let request = GetParkedStreamRequest {
        consumer: consumer.clone(),
        source: source.clone(),
        stream: stream.clone(),
        page_size: PAGE,
        page_token,
    };
    let answer = look.shop().consumers_of(&service)?.get_parked_stream(request).await;
    let page = match answer {
        Ok(answer) => answer.into_inner(),
        Err(refused) if refused.code() == tonic::Code::NotFound => Default::default(),
        Err(error) => return Err(error.into()),
    };
    let one = ParkedStream {
        consumer: consumer.clone(),
        source: source.clone(),
        stream: stream.clone(),
        ..ParkedStream::default()
    };
    let first = page
        .events
        .first()
        .filter(|_| is_first)
        .and_then(|first| first.event.as_ref())
        .map(|event| event.position.to_string());
    let discard = |position: String| Act::Discard {
        service: service.clone(),
        consumer: consumer.clone(),
        source: source.clone(),
        stream: stream.clone(),
        position,
        reason: Reason::default(),
    };
    let live = html! {
        @if page.events.is_empty() { p.fine { "Nothing of it is in quarantine any more." } }
        @for ParkedEvent { event, reason, error, attempts, park_time } in &page.events {
            @let event = event.clone().unwrap_or_default();
            section.why {
                h2 { (short(&event.r#type)) ", version " (event.version) }
                p { b { (reason) } " " bdi { (error) } ", tried " (attempts) " times, since " (time(park_time.as_ref())) }
                pre tabindex="0" { (body(&event.r#type, &event.payload)) }
            }
        }
        (next("events of it", "/console/quarantine/stream", &[("service", &service), ("consumer", &consumer), ("source", &source), ("stream", &stream)], ("page_token", &page.next_page_token)))
    };
    let still = html! {
        p { "At " b { (service) } ", of its reader " (consumer) "; events: " (page.total_size) ". " a href="/console/quarantine" { "All of quarantine" } }
        @if let Some(position) = first {
            (replay(&service, &one).form(&look, "Try again", &[]))
            (discard(position).form(&look, "Give up the first", &[("reason", "Why")]))
        }
    };
    Ok(View { title: stream.clone(), still, live })
}
