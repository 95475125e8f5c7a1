//! For how long stock will last.

use contracts::tradewind::analytics::v1::{ForecastStockResponse, StockForecast, StockOutlook};
use tradewind_domain::{Error, request};
use tradewind_projections::seen;
use tradewind_store::Store;

use super::list_sales::PATIENCE;
use super::sales::SALES;
use crate::domain::{Forecast, Outlook, Taken, day_of, day_text, forecast};
use crate::store::sales::{StockPlace, stock, stock_page, stock_place, taken};

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
/// `Unavailable` when the database is, or what must be seen has not arrived.
pub(crate) async fn forecast_stock(store: &Store, asked: AskedForecast) -> Result<ForecastStockResponse, Error> {
    let AskedForecast { sku, days, place, size, after } = asked;
    let slot = seen(store, SALES, &after, PATIENCE).await?;
    let rows = stock_page(store.reader(), slot, sku.as_deref(), place, size + 1).await?;
    let places: Vec<_> = rows.iter().map(stock_place).collect();
    let mut skus: Vec<_> = rows.iter().map(|row| row.sku.clone()).collect();
    skus.dedup();
    // Of today nobody knows yet what it will have taken.
    let today = day_of(store.now());
    let taken = taken(store.reader(), slot, &skus, (today - days, today - 1)).await?;
    let of = |row: stock::Model| {
        let taken = taken.get(&(row.sku.clone(), row.location.clone())).copied().unwrap_or_default();
        resource(row, taken, today)
    };
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
