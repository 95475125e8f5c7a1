//! What was sold.

use contracts::tradewind::analytics::v1::{self as told, ListSalesResponse};
use contracts::tradewind::money::v1::Money;
use tradewind_domain::{Error, request};

use super::Sales;
use crate::domain::day_text;
use crate::store::sales::{SalePlace, WantedSales, sale_place, sold};

/// Which sums are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedSales {
    pub(crate) wanted: WantedSales,
    pub(crate) place: Option<SalePlace>,
    pub(crate) size: usize,
    /// Tokens of writes that must be seen.
    pub(crate) after: Vec<String>,
}

/// Up to as many sums as were asked for, by when, of what and in which currency.
///
/// # Errors
/// `Unavailable` when who keeps them is, or what must be seen has not arrived.
pub(crate) async fn list_sales(kept: &Sales, asked: AskedSales) -> Result<ListSalesResponse, Error> {
    let AskedSales { wanted, place, size, after } = asked;
    let rows = kept.sold(&after, &wanted, place, size + 1).await?;
    let places: Vec<_> = rows.iter().map(sale_place).collect();
    let mut sales: Vec<_> = rows.into_iter().map(resource).collect();
    let fit = request::fit(&sales).min(size);
    let next_page_token = if fit < sales.len() { places[fit - 1].to_string() } else { String::new() };
    sales.truncate(fit);
    Ok(ListSalesResponse { sales, next_page_token, from_day: day_text(wanted.from), to_day: day_text(wanted.to) })
}

fn resource(row: sold::Model) -> told::Sales {
    let money = |minor| Some(Money { currency: row.currency.clone(), minor });
    told::Sales {
        start_day: day_text(row.start),
        amount: money(row.amount),
        cancelled_amount: money(row.cancelled_amount),
        key: row.key,
        orders: row.orders,
        units: row.units,
        cancelled_orders: row.cancelled_orders,
        cancelled_units: row.cancelled_units,
    }
}
