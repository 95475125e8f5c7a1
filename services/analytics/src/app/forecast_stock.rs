//! For how long stock will last.

use contracts::tradewind::analytics::v1::{ForecastStockResponse, StockForecast, StockOutlook};
use tradewind_domain::{Error, request};

use super::Sales;
use crate::domain::{Forecast, Outlook, Taken, day_of, day_text, forecast};
use crate::store::sales::{StockPlace, stock, stock_place};

/// Which forecasts are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedForecast {
    pub(crate) sku: Option<String>,
    /// How many days are looked at.
    pub(crate) days: i64,
    pub(crate) place: Option<StockPlace>,
    pub(crate) size: usize,
    /// Tokens of writes that must be seen.
    pub(crate) after: Vec<String>,
}

/// Up to as many forecasts as were asked for, by SKU and location.
///
/// # Errors
/// `Unavailable` when who keeps them is, or what must be seen has not arrived.
pub(crate) async fn forecast_stock(kept: &Sales, asked: AskedForecast) -> Result<ForecastStockResponse, Error> {
    let AskedForecast { sku, days, place, size, after } = asked;
    // Of today nobody knows yet what it will have taken.
    let today = day_of(kept.store().now());
    let rows = kept.stock(&after, sku.as_deref(), place, size + 1, (today - days, today - 1)).await?;
    let places: Vec<_> = rows.iter().map(|(row, _)| stock_place(row)).collect();
    let of = |(row, taken): (stock::Model, Taken)| resource(row, taken, today);
    let mut forecasts: Vec<_> = rows.into_iter().map(of).collect();
    let fit = request::fit(&forecasts).min(size);
    let next_page_token = if fit < forecasts.len() { places[fit - 1].to_string() } else { String::new() };
    forecasts.truncate(fit);
    Ok(ForecastStockResponse { forecasts, next_page_token })
}

fn resource(row: stock::Model, taken: Taken, today: i64) -> StockForecast {
    let Forecast { mean, trend, outlook } = forecast(row.available, taken);
    let (outlook, days_left) = match outlook {
        Outlook::Unknown => (StockOutlook::Unknown, None),
        Outlook::Out => (StockOutlook::Out, None),
        Outlook::RunsOut(days) => (StockOutlook::RunsOut, Some(days)),
        Outlook::Lasts => (StockOutlook::Lasts, None),
    };
    StockForecast {
        sku: row.sku,
        location: row.location,
        available: row.available,
        taken: taken.units,
        mean,
        trend,
        outlook: outlook.into(),
        stock_out_day: days_left.map(|days| day_text(today + i64::from(days))).unwrap_or_default(),
        days_left: days_left.unwrap_or_default(),
    }
}
