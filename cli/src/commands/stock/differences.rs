//! `tradewind stock differences`.

use std::process::ExitCode;

use anyhow::Result;
use contracts::tradewind::inventory::v1::{
    ListStockDifferencesRequest, StockCount, StockDifference, StockDifferenceState, StockResolution,
};

use crate::Global;
use crate::clients;
use crate::commands::ledger::{Page, State};
use crate::output::{moment, more, print_json, say, word};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which of them.
    #[arg(long, default_value = "open")]
    state: State,
    #[command(flatten)]
    page: Page,
}

impl From<State> for StockDifferenceState {
    fn from(state: State) -> Self {
        match state {
            State::Open => Self::Open,
            State::Resolved => Self::Resolved,
            State::All => Self::Unspecified,
        }
    }
}

pub(super) async fn run(global: Global, args: Args) -> Result<ExitCode> {
    let Args { state, page: Page { page_size, page_token } } = args;
    let state = StockDifferenceState::from(state).into();
    let request = ListStockDifferencesRequest { state, page_size, page_token };
    let response = clients::asked(&global)?.movements()?.list_stock_differences(request).await?.into_inner();
    if global.json {
        print_json(&response)?;
    } else {
        response.differences.iter().try_for_each(show)?;
        more(&response.next_page_token)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows a difference, and how it was resolved.
pub(super) fn show(difference: &StockDifference) -> Result<()> {
    let StockDifference { difference_id, sku, location, note, resolved_by, .. } = difference;
    let (counters, balance) = (difference.counters.unwrap_or_default(), difference.balance.unwrap_or_default());
    say!("{difference_id}  {sku:<24} {location:<12} counters {}  movements {}", counts(counters), counts(balance))?;
    match &difference.resolved_time {
        None => Ok(()),
        time => {
            let how = word(difference.resolution, StockResolution::as_str_name, "STOCK_RESOLUTION_");
            say!("  {how} {} by {resolved_by}: {note}", moment(time.as_ref()))
        }
    }
}

fn counts(StockCount { received, shipped, reserved }: StockCount) -> String {
    format!("received {received} shipped {shipped} reserved {reserved}")
}
