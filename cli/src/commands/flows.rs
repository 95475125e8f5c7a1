//! `tradewind flows`: what orders wait for, of whom, since when.

mod show;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use contracts::tradewind::analytics::v1::{FlowState, ListStuckFlowsRequest};
use serde_json::json;
use shop::{Reason, reasons, steps};

use super::projection;
use crate::Global;
use crate::clients;
use crate::output::{document, json as as_json, more, say};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show what waits longer than its contract allows: which order, for what, whose turn it is, since when and why.
    ///
    /// Why is asked of the services for the order that waits longest of each kind; `order explain` tells it of any. What is shown
    /// is a moment behind the orders; it is told where analytics has more than that still to read.
    Stuck(Stuck),
}

#[derive(clap::Args)]
pub(crate) struct Stuck {
    /// Also what waits no longer than it may.
    #[arg(long)]
    all: bool,
    /// Only where it is this service's turn.
    #[arg(long, default_value = "", hide_default_value = true)]
    service: String,
    /// Only what has to follow this event, e.g. OrderPaid.
    #[arg(long, value_name = "EVENT", value_parser = shop::steps::full)]
    step: Option<String>,
    /// Only this order's.
    #[arg(long, default_value = "", hide_default_value = true)]
    order: String,
    /// Only what has been waiting for so long, e.g. 5m.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    at_least: Option<Duration>,
    /// The most to show, up to 1000.
    #[arg(long, default_value_t = 100)]
    page_size: i32,
    /// Where the page before ended.
    #[arg(long, default_value = "", hide_default_value = true)]
    page_token: String,
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let shop = clients::asked(&global)?;
    let Command::Stuck(Stuck { all, service, step, order, at_least, page_size, page_token }) = command;
    let state = if all { FlowState::Waiting } else { FlowState::Stuck };
    let request = ListStuckFlowsRequest {
        state: state.into(),
        order_id: order,
        service,
        min_age: at_least.map(prost_types::Duration::try_from).transpose()?,
        page_size,
        page_token,
        step: step.unwrap_or_default(),
    };
    let found = steps::stuck(&shop, request).await?;
    let behind = projection::behind(&shop, "analytics", "analytics.flows").await?;
    let reasons = reasons(&shop, &found.flows).await;
    if global.json {
        let mut facts = as_json(&found)?;
        facts["reasons"] = reasons.iter().map(Reason::json).collect();
        facts["events_behind"] = json!(behind);
        document(&json!(facts))?;
    } else {
        show::lines(&found, &reasons, behind).iter().try_for_each(|line| say!("{line}"))?;
        more(&found.next_page_token)?;
    }
    Ok(ExitCode::SUCCESS)
}
