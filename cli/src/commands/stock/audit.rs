//! `tradewind stock audit`.

use std::process::ExitCode;

use anyhow::Result;
use contracts::tradewind::inventory::v1::{AuditStockRequest, AuditStockResponse};

use super::differences;
use crate::Global;
use crate::clients;
use crate::output::{print_json, say};

/// Levels that are compared at one moment.
const PAGE: i32 = 500;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only the levels of this SKU.
    #[arg(long, default_value = "")]
    sku: String,
    /// Only the levels at this location.
    #[arg(long, default_value = "")]
    location: String,
}

pub(super) async fn run(global: Global, Args { sku, location }: Args) -> Result<ExitCode> {
    let mut movements = clients::asked(&global)?.movements()?;
    let mut all = AuditStockResponse::default();
    let mut request = AuditStockRequest { sku, location, page_size: PAGE, page_token: String::new() };
    loop {
        let page = movements.audit_stock(request.clone()).await?.into_inner();
        all.levels += page.levels;
        all.settled += page.settled;
        all.found.extend(page.found);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if global.json {
        print_json(&all)?;
    } else {
        all.found.iter().try_for_each(differences::show)?;
        say!("levels {}  new differences {}  settled {}", all.levels, all.found.len(), all.settled)?;
    }
    Ok(if all.found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
