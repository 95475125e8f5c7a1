//! `tradewind stock`: what is in the warehouses, and how it came to be so.

mod audit;
mod correct;
mod differences;
mod movements;
mod resolve;

use std::process::ExitCode;

use anyhow::Result;
use contracts::tradewind::analytics::v1::{ForecastStockRequest, StockForecast, StockOutlook};
use contracts::tradewind::inventory::v1::{GetStockRequest, ListStockRequest, ReceiveStockRequest, StockLevel};

use crate::Global;
use crate::clients;
use crate::commands::order::new_request_id;
use crate::output::{more, print_json, say};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Book units that arrived.
    Receive {
        /// What the warehouse calls the product.
        sku: String,
        /// Units, more than 0.
        #[arg(allow_negative_numbers = true)]
        quantity: i64,
        /// Where they arrived.
        #[arg(long, default_value = "main")]
        location: String,
        /// Makes a repetition harmless; a new one where absent.
        #[arg(long)]
        request_id: Option<String>,
    },
    /// Show the levels of one SKU.
    Get {
        /// What the warehouse calls the product.
        sku: String,
    },
    /// Show levels by SKU and location.
    List {
        /// The most to show, up to 1000.
        #[arg(long, default_value_t = 100)]
        page_size: i32,
        /// Where the page before ended.
        #[arg(long, default_value = "")]
        page_token: String,
    },
    /// Show what stock has done, by time.
    Movements(movements::Args),
    /// Set what is in the building to what was counted there, or change it by what was found or lost.
    ///
    /// What is set aside for orders stays: a correction that would leave less is refused.
    Correct(correct::Args),
    /// Compare the counters with what all movements come to, and record what differs. Exits 1 where something new does.
    ///
    /// Each page of levels is compared as it is at one moment: orders may come and go meanwhile. Comparing again records no difference
    /// twice, and settles those that are over.
    Audit(audit::Args),
    /// Show levels whose counters are not what their movements come to, by the time at which it was found.
    Differences(differences::Args),
    /// Say that a difference is settled, and how.
    Resolve(resolve::Args),
    /// Show for how many days what is available will last, if it is taken as it was lately.
    ///
    /// What was taken is what was reserved less what was released. From two weeks on of which something is known, the
    /// least-squares line through the days is followed, down to half of their mean, and before that the mean; neither knows of seasons, weekdays or
    /// deliveries to come. Of what nobody took nothing is known.
    Forecast {
        /// Only this SKU.
        #[arg(long, default_value = "", hide_default_value = true)]
        sku: String,
        /// How many whole days are looked at, up to yesterday: from 7 to 365.
        #[arg(long, default_value_t = 28)]
        days: i32,
        /// The most to show, up to 1000.
        #[arg(long, default_value_t = 100)]
        page_size: i32,
        /// Where the page before ended.
        #[arg(long, default_value = "", hide_default_value = true)]
        page_token: String,
    },
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let shop = clients::asked(&global)?;
    let mut inventory = shop.inventory()?;
    match command {
        Command::Movements(args) => return movements::run(global, args).await,
        Command::Correct(args) => return correct::run(global, args).await,
        Command::Audit(args) => return audit::run(global, args).await,
        Command::Differences(args) => return differences::run(global, args).await,
        Command::Resolve(args) => return resolve::run(global, args).await,
        Command::Receive { sku, quantity, location, request_id } => {
            let request_id = request_id.unwrap_or_else(new_request_id);
            let request = ReceiveStockRequest { request_id, sku, location, quantity };
            let response = inventory.receive_stock(request).await?.into_inner();
            if global.json { print_json(&response)? } else { response.level.iter().try_for_each(show)? }
        }
        Command::Get { sku } => {
            let response = inventory.get_stock(GetStockRequest { sku }).await?.into_inner();
            if global.json { print_json(&response)? } else { response.levels.iter().try_for_each(show)? }
        }
        Command::List { page_size, page_token } => {
            let response = inventory.list_stock(ListStockRequest { page_size, page_token }).await?.into_inner();
            if global.json {
                print_json(&response)?;
            } else {
                response.levels.iter().try_for_each(show)?;
                more(&response.next_page_token)?;
            }
        }
        Command::Forecast { sku, days, page_size, page_token } => {
            let request = ForecastStockRequest { sku, days, page_size, page_token, ..Default::default() };
            let response = shop.sales()?.forecast_stock(request).await?.into_inner();
            if global.json {
                print_json(&response)?;
            } else {
                response.forecasts.iter().try_for_each(show_forecast)?;
                more(&response.next_page_token)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show_forecast(forecast: &StockForecast) -> Result<()> {
    let StockForecast { sku, location, available, mean, trend, stock_out_day, days_left, .. } = forecast;
    let outlook = match forecast.outlook() {
        StockOutlook::RunsOut => format!("until {stock_out_day}, in {days_left} days"),
        StockOutlook::Lasts => "for more than a year".to_owned(),
        StockOutlook::Out => "gone".to_owned(),
        StockOutlook::Unknown | StockOutlook::Unspecified => "unknown: nothing was taken".to_owned(),
    };
    say!("{sku:<24} {location:<12} available {available:>8}  a day {mean:>8.1}  trend {trend:>+7.2}  {outlook}")
}

fn show(level: &StockLevel) -> Result<()> {
    let StockLevel { sku, location, on_hand, reserved, available, .. } = level;
    say!("{sku:<24} {location:<12} on hand {on_hand:>8}  reserved {reserved:>8}  available {available:>8}")
}
