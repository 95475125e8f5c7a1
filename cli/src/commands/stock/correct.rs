//! `tradewind stock correct`.

use std::process::ExitCode;

use anyhow::Result;
use contracts::tradewind::inventory::v1::CorrectStockRequest;
use contracts::tradewind::inventory::v1::correct_stock_request::To;

use crate::Global;
use crate::clients;
use crate::commands::order::new_request_id;
use crate::output::{print_json, say};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What the warehouse calls the product.
    sku: String,
    /// Where it was counted.
    #[arg(long, default_value = "main")]
    location: String,
    #[command(flatten)]
    to: Given,
    /// Why, for whoever wonders later: at most 500 characters.
    #[arg(long)]
    reason: String,
    /// Makes a repetition harmless; a new one where absent.
    #[arg(long)]
    request_id: Option<String>,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Given {
    /// Units in the building, those that are set aside among them.
    #[arg(long, value_name = "UNITS")]
    counted: Option<i64>,
    /// Units that were found, or lost where it is below 0.
    #[arg(long, value_name = "UNITS", allow_negative_numbers = true)]
    change: Option<i64>,
}

pub(super) async fn run(global: Global, args: Args) -> Result<ExitCode> {
    let Args { sku, location, to: Given { counted, change }, reason, request_id } = args;
    let request_id = request_id.unwrap_or_else(new_request_id);
    let to = counted.map(To::Counted).or(change.map(To::Change));
    let request = CorrectStockRequest { request_id, sku, location, to, reason };
    let response = clients::asked(&global)?.inventory()?.correct_stock(request).await?.into_inner();
    if global.json {
        print_json(&response)?;
    } else {
        response.level.iter().try_for_each(super::show)?;
        say!("changed by {:+}", response.change)?;
    }
    Ok(ExitCode::SUCCESS)
}
