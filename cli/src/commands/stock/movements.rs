//! `tradewind stock movements`.

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use contracts::tradewind::inventory::v1::{ListStockMovementsRequest, StockMovement, StockMovementKind};
use prost_types::Timestamp;

use crate::Global;
use crate::clients;
use crate::commands::ledger::Page;
use crate::output::{moment, more, print_json, say, word};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only those of this SKU.
    #[arg(long, default_value = "")]
    sku: String,
    /// Only those at this location.
    #[arg(long, default_value = "")]
    location: String,
    /// Only those for this order.
    #[arg(long, default_value = "")]
    order: String,
    /// Only those that do this.
    #[arg(long)]
    kind: Option<Kind>,
    /// Only those recorded then or later, e.g. 2026-11-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Only those recorded before.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    #[command(flatten)]
    page: Page,
}

/// What stock does.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// It arrives.
    Receipt,
    /// It is set aside for an order.
    Reservation,
    /// It is made available again.
    Release,
    /// It leaves, having been set aside.
    Shipment,
    /// Somebody has counted it otherwise.
    Correction,
}

impl From<Kind> for StockMovementKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Receipt => Self::Receipt,
            Kind::Reservation => Self::Reservation,
            Kind::Release => Self::Release,
            Kind::Shipment => Self::Shipment,
            Kind::Correction => Self::Correction,
        }
    }
}

pub(super) async fn run(global: Global, args: Args) -> Result<ExitCode> {
    let request = ListStockMovementsRequest {
        sku: args.sku,
        location: args.location,
        order_id: args.order,
        kind: args.kind.map_or(StockMovementKind::Unspecified, StockMovementKind::from).into(),
        start_time: args.since,
        end_time: args.until,
        page_size: args.page.page_size,
        page_token: args.page.page_token,
    };
    let response = clients::asked(&global)?.movements()?.list_stock_movements(request).await?.into_inner();
    if global.json {
        print_json(&response)?;
    } else {
        response.movements.iter().try_for_each(show)?;
        more(&response.next_page_token)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(movement: &StockMovement) -> Result<()> {
    let StockMovement { sku, location, on_hand, reserved, order_id, reason, corrected_by, .. } = movement;
    let kind = word(movement.kind, StockMovementKind::as_str_name, "STOCK_MOVEMENT_KIND_");
    let why = if reason.is_empty() { order_id.clone() } else { format!("{corrected_by}: {reason}") };
    let time = moment(movement.time.as_ref());
    say!("{time:<28} {sku:<24} {location:<12} {kind:<11} on hand {on_hand:>+8}  reserved {reserved:>+8}  {why}")
}
