//! What waits longer than it may: how much, for what, whose turn it is, since when and why, and what would help.

use anyhow::{Context, Result};
use axum::extract::Query;
use contracts::tradewind::analytics::v1::{
    AgeClass, Flow, FlowState, FlowStep, FlowSum, FlowTurn, ListStuckFlowsRequest, ListStuckFlowsResponse,
};
use contracts::tradewind::consumer::v1::ListProjectionsRequest;
use maud::{Markup, html};
use serde::Deserialize;
use shop::explain::{Held, Remedy};
use shop::{Clients, Reason, reasons, steps, word};

use crate::act::Act;
use crate::fault::Fault;
use crate::frame::{self, View};
use crate::live::Look;
use crate::words::{count, next, order, query, short, span, time};

const PAGE: i32 = 50;
/// From so many events on that analytics has not read yet, what it shows may be long over.
const BEHIND: u64 = 1_000;

/// What is asked for; it stands in the path, so that a page can be kept and sent to somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Filter {
    /// Also what is not late: `waiting`.
    #[serde(default)]
    state: String,
    #[serde(default)]
    service: String,
    /// The event after which something has to follow.
    #[serde(default)]
    step: String,
    /// As in `5m`.
    #[serde(default)]
    min_age: String,
    #[serde(default)]
    page_token: String,
}

impl Filter {
    #[cfg(any(test, feature = "fuzzed"))]
    pub(crate) fn of_age(min_age: &str) -> Self {
        Self { min_age: min_age.to_owned(), ..Self::default() }
    }

    pub(crate) fn pairs(&self) -> Vec<(&'static str, &str)> {
        let pairs = [
            ("state", self.state.as_str()),
            ("service", &self.service),
            ("step", &self.step),
            ("min_age", &self.min_age),
        ];
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    pub(crate) fn path(&self) -> String {
        format!("/console{}", query(&self.pairs()))
    }

    /// What analytics is asked.
    ///
    /// # Errors
    /// Where the age or the step is none.
    pub(crate) fn request(&self) -> Result<ListStuckFlowsRequest> {
        let age = self.min_age.trim();
        let min_age = match age {
            "" => None,
            _ => Some(humantime::parse_duration(age).with_context(|| format!("{age:?} is no age: say 90s, 5m or 2h"))?),
        };
        let step = if self.step.trim().is_empty() { String::new() } else { steps::full(&self.step)? };
        let state = if self.state == "waiting" { FlowState::Waiting } else { FlowState::Stuck };
        Ok(ListStuckFlowsRequest {
            state: state.into(),
            service: self.service.trim().to_owned(),
            min_age: min_age.map(TryInto::try_into).transpose()?,
            page_size: PAGE,
            page_token: self.page_token.clone(),
            step,
            ..ListStuckFlowsRequest::default()
        })
    }

    /// Whether it is about that service.
    pub(crate) fn is_of(&self, service: &str) -> bool {
        ["", service].contains(&self.service.trim())
    }
}

pub(crate) async fn stuck(look: Look, Query(filter): Query<Filter>) -> Result<View, Fault> {
    let shop = look.shop();
    let request = filter.request().map_err(|error| Fault::invalid(format!("{error:#}")))?;
    let found = steps::stuck(shop, request).await?;
    let (reasons, behind) = (reasons(shop, &found.flows).await, behind(shop).await);
    let title = if filter.state == "waiting" { "What waits" } else { "What is stuck" };
    Ok(View {
        title: title.to_owned(),
        still: asking(&look, &filter),
        live: shown(&look, &filter, &found, &reasons, behind),
    })
}

/// How many events analytics has still to read, where it tells.
async fn behind(shop: &Clients) -> Option<u64> {
    let answer = shop.consumers_of("analytics").ok()?.list_projections(ListProjectionsRequest {}).await.ok()?;
    let all = answer.into_inner().projections;
    let flows = all.iter().find(|found| found.projection == "analytics.flows")?;
    Some(flows.total_events?.saturating_sub(flows.events))
}

fn asking(look: &Look, filter: &Filter) -> Markup {
    html! {
        form.filter method="get" action="/console" {
            label { "Service " input name="service" value=(filter.service) placeholder="any"; }
            label { "Step " (steps_of(filter)) }
            label { "At least " input name="min_age" value=(filter.min_age) placeholder="as in 5m" size="8"; }
            label {
                input type="checkbox" name="state" value="waiting" checked[filter.state == "waiting"];
                " also what is not late"
            }
            button { "Show" }
        }
        details #bulk {
            summary { "Do something about all of it" }
            form.filter method="post" action="/console/bulk" {
                (frame::mark(&look.visitor))
                @for (name, value) in filter.pairs() { input type="hidden" name=(name) value=(value); }
                label {
                    "What "
                    select name="kind" {
                        option value="retry" { "Try again, and let readers read on" }
                        option value="discard" { "Give up what is in quarantine" }
                        option value="cancel" { "Cancel the orders" }
                    }
                }
                label { "Why " input name="reason" size="30"; }
                button { "See what that would do" }
            }
        }
    }
}

/// Every step that there is, and the one that was asked for.
fn steps_of(filter: &Filter) -> Markup {
    let asked = steps::full(&filter.step).unwrap_or_default();
    html! {
        select name="step" {
            option value="" { "any" }
            @for step in steps::all() { option value=(short(step)) selected[step == asked] { (short(step)) } }
            @if !asked.is_empty() && steps::all().all(|step| step != asked) { option value=(asked) selected { (asked) } }
        }
    }
}

fn shown(
    look: &Look,
    filter: &Filter,
    found: &ListStuckFlowsResponse,
    reasons: &[Reason],
    behind: Option<u64>,
) -> Markup {
    html! {
        @if let Some(behind) = behind.filter(|behind| *behind >= BEHIND) {
            p.fault { "Analytics has " (count(behind)) " events still to read: what is shown may be over, and more may wait." }
        }
        @if found.flows.is_empty() {
            p.fine { "Nothing of what was asked for waits." }
        } @else {
            @if found.sums_limited {
                p { "More may wait than are summed up here: these are the " (count(found.sums.iter().map(|sum| sum.count).sum::<i64>())) " that have waited longest." }
            }
            @if !found.sums.is_empty() { (sums(filter, &found.sums)) }
            @for reason in reasons { (why(look, reason)) }
            (flows(&found.flows))
            (next("orders that wait", "/console", &filter.pairs(), ("page_token", &found.next_page_token)))
        }
    }
}

fn sums(filter: &Filter, sums: &[FlowSum]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="How much waits" {
            table {
                thead { tr { th scope="col" { "Step" } th scope="col" { "Awaits" } th scope="col" { "Whose turn" } th scope="col" { "Age" } th.number scope="col" { "Orders" } th scope="col" { "The first since" } } }
                tbody {
                    @for FlowSum { step, age_class, count: number, oldest_time, turns } in sums {
                        @let step = step.clone().unwrap_or_default();
                        tr {
                            td { a href=(Filter { step: step.event.clone(), page_token: String::new(), ..filter.clone() }.path()) { (short(&step.event)) } }
                            td { (awaits(&step)) }
                            td { (services(filter, turns)) }
                            td { (word(*age_class, AgeClass::as_str_name, "AGE_CLASS_").to_lowercase()) }
                            td.number { (count(*number)) }
                            td { (time(oldest_time.as_ref())) }
                        }
                    }
                }
            }
        }
    }
}

fn services(filter: &Filter, turns: &[FlowTurn]) -> Markup {
    html! {
        @for (at, turn) in turns.iter().enumerate() {
            @if at > 0 { ", " }
            a href=(Filter { service: turn.service.clone(), page_token: String::new(), ..filter.clone() }.path()) { (turn.service) }
        }
    }
}

fn awaits(step: &FlowStep) -> String {
    step.any_of.iter().map(|name| short(name)).collect::<Vec<_>>().join(" or ")
}

fn why(look: &Look, Reason { event, order_id, held }: &Reason) -> Markup {
    html! {
        section.why {
            h2 { "Why " (short(event)) " waits" }
            p.soft { "As it is with " (order(order_id)) }
            @match held {
                Err(error) => p.fault { (error) },
                Ok(held) => ul {
                    @for Held { from, why, remedy } in held {
                        li { b { (from) } ": " (why) " " (help(look, remedy.as_ref())) }
                    }
                },
            }
        }
    }
}

/// What would help, to be asked for.
pub(super) fn help(look: &Look, remedy: Option<&Remedy>) -> Markup {
    html! {
        @match remedy {
            None => {}
            Some(Remedy::Replay { service, consumer, source, stream }) => {
                (Act::Replay { service: service.clone(), consumer: consumer.clone(), source: source.clone(), stream: stream.clone() }.form(look, "Try again", &[]))
            }
            Some(Remedy::Resume { service, consumer }) => {
                (Act::Resume { service: service.clone(), consumer: consumer.clone() }.form(look, "Let it read on", &[]))
            }
            Some(Remedy::Readers { .. }) => a href="/console/consumers" { "See its readers" },
            Some(Remedy::Status) => a href="/console/mesh" { "See who answers" },
        }
    }
}

fn flows(flows: &[Flow]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="The orders" {
            table {
                thead { tr { th scope="col" { "Order" } th scope="col" { "Step" } th scope="col" { "Awaits" } th scope="col" { "Whose turn" } th scope="col" { "Since" } th.number scope="col" { "Age" } th.number scope="col" { "Late by" } } }
                tbody {
                    @for flow in flows {
                        @let step = flow.step.clone().unwrap_or_default();
                        @let age = flow.age.map_or(0, |age| age.seconds);
                        @let late = late(flow, age);
                        tr {
                            td { (order(&flow.order_id)) }
                            td { (short(&step.event)) }
                            td { (awaits(&step)) }
                            td { (flow.turns.iter().map(|turn| turn.service.as_str()).collect::<Vec<_>>().join(", ")) }
                            td { (time(flow.since_time.as_ref())) }
                            td.number { (span(age)) }
                            td.number.bad[late > 0] { @if late > 0 { (span(late)) } @else { "-" } }
                        }
                    }
                }
            }
        }
    }
}

fn late(flow: &Flow, age: i64) -> i64 {
    let seconds = |time: Option<&prost_types::Timestamp>| time.map_or(0, |time| time.seconds);
    seconds(flow.since_time.as_ref()) + age - seconds(flow.due_time.as_ref())
}
