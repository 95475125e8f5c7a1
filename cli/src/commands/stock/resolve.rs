//! `tradewind stock resolve`.

use std::process::ExitCode;

use anyhow::Result;
use contracts::tradewind::inventory::v1::ResolveStockDifferenceRequest;

use super::differences;
use crate::Global;
use crate::clients;
use crate::commands::order::new_request_id;
use crate::output::print_json;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The difference, as `differences` shows it.
    difference_id: String,
    /// How it was settled, for whoever wonders later: at most 500 characters.
    #[arg(long)]
    note: String,
    /// Set the counters to what the movements come to. Otherwise they stay, and the same difference is not found again.
    #[arg(long)]
    correct_counters: bool,
    /// Makes a repetition harmless; a new one where absent.
    #[arg(long)]
    request_id: Option<String>,
}

pub(super) async fn run(global: Global, args: Args) -> Result<ExitCode> {
    let Args { difference_id, note, correct_counters, request_id } = args;
    let request_id = request_id.unwrap_or_else(new_request_id);
    let request = ResolveStockDifferenceRequest { request_id, difference_id, note, correct_counters };
    let response = clients::asked(&global)?.movements()?.resolve_stock_difference(request).await?.into_inner();
    if global.json {
        print_json(&response)?
    } else {
        response.difference.iter().try_for_each(differences::show)?
    }
    Ok(ExitCode::SUCCESS)
}
