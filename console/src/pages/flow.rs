//! The way of an order as the contracts have it, with how many are where and how long each step takes.

use anyhow::Result;
use contracts::tradewind::analytics::v1::{
    FlowState, FlowSum, FunnelStep, GetFunnelRequest, GetStepTimesRequest, ListStuckFlowsRequest, SaleStep, StepTime,
};
use contracts::tradewind::ordering::v1::CancellationReason;
use maud::{Markup, html};
use shop::word;

use super::graph::{Waiting, graph};
use crate::fault::Fault;
use crate::frame::View;
use crate::live::Look;
use crate::words::{count, millis};

pub(crate) async fn flow(look: Look, (): ()) -> Result<View, Fault> {
    let shop = look.shop();
    let mut sales = shop.sales()?;
    let mut flows = shop.flows()?;
    let asked = |state: FlowState| ListStuckFlowsRequest {
        state: state.into(),
        page_size: 1,
        ..ListStuckFlowsRequest::default()
    };
    let waiting = flows.list_stuck_flows(asked(FlowState::Waiting)).await?.into_inner().sums;
    let stuck = flows.list_stuck_flows(asked(FlowState::Stuck)).await?.into_inner().sums;
    let funnel = sales.get_funnel(GetFunnelRequest::default()).await?.into_inner().steps;
    let times = sales.get_step_times(GetStepTimesRequest::default()).await?.into_inner().steps;
    let live = html! {
        (steps(&funnel, &times))
        h2 { "What has to follow what" }
        p.soft { "An arrow leads from an event to those of which one has to follow it. The number is how many orders wait there; red, that some are late." }
        (graph(&sums(&waiting, &stuck)))
    };
    Ok(View { title: "The way of an order".to_owned(), still: html! {}, live })
}

fn sums(waiting: &[FlowSum], stuck: &[FlowSum]) -> Vec<Waiting> {
    let of = |sums: &[FlowSum], event: &str| -> i64 {
        let is_of = |sum: &&FlowSum| sum.step.as_ref().is_some_and(|step| step.event == event);
        sums.iter().filter(is_of).map(|sum| sum.count).sum()
    };
    let events: std::collections::BTreeSet<&str> =
        waiting.iter().chain(stuck).filter_map(|sum| Some(sum.step.as_ref()?.event.as_str())).collect();
    let one =
        |event: &&str| Waiting { event: (*event).to_owned(), waiting: of(waiting, event), late: of(stuck, event) };
    events.iter().map(one).collect()
}

/// The steps in their order: how many orders have taken each lately, in which time, and why those ended that did.
fn steps(funnel: &[FunnelStep], times: &[StepTime]) -> Markup {
    html! {
        ol.steps {
            @for step in funnel {
                @let time = times.iter().find(|time| time.step == step.step && time.p50.is_some());
                li {
                    @if let Some(StepTime { p50, p95, .. }) = time {
                        span.arrow { "p50 " (millis(p50.as_ref())) ", p95 " (millis(p95.as_ref())) }
                    }
                    b { (word(step.step, SaleStep::as_str_name, "SALE_STEP_").to_lowercase().replace('_', " ")) }
                    span.many { (count(step.orders)) }
                    @for end in &step.drop_outs {
                        span.bad { (count(end.orders)) " " (word(end.reason, CancellationReason::as_str_name, "CANCELLATION_REASON_").to_lowercase().replace('_', " ")) }
                    }
                }
            }
        }
    }
}
