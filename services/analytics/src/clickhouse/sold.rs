//! What was sold, summed up.

use contracts::tradewind::analytics::v1::SalesKind;
use serde::Deserialize;
use tradewind_projections::Slot;

use super::lines::{CANCELLED, CONFIRMED};
use super::literal::literal;
use super::tables::{PLACED, REACHED};
use crate::domain::Span;
use crate::store::sales::{SalePlace, WantedSales, sold};

/// A sum.
#[derive(Deserialize)]
pub(super) struct Row {
    start: i64,
    key: String,
    currency: String,
    orders: i64,
    units: i64,
    amount: i64,
    cancelled_orders: i64,
    cancelled_units: i64,
    cancelled_amount: i64,
}

impl Row {
    pub(super) fn model(self, wanted: &WantedSales) -> sold::Model {
        sold::Model {
            kind: wanted.kind,
            span: wanted.span.number(),
            start: self.start,
            key: self.key,
            currency: self.currency,
            orders: self.orders,
            units: self.units,
            amount: self.amount,
            cancelled_orders: self.cancelled_orders,
            cancelled_units: self.cancelled_units,
            cancelled_amount: self.cancelled_amount,
        }
    }
}

/// The orders that were placed in days, with those of which a step is known. A step is not taken before the order is placed, but
/// clocks may differ around midnight.
pub(super) fn with_step(slot: Slot, step: i64, from: i64) -> String {
    format!("order_id IN (SELECT order_id FROM {} WHERE step = {step} AND day >= {})", slot.table(REACHED), from - 1)
}

/// Up to `limit` of the sums that follow `after` by start, key and currency.
pub(super) fn question(slot: Slot, wanted: &WantedSales, after: Option<&SalePlace>, limit: usize) -> String {
    let WantedSales { kind, span, to, key, .. } = wanted;
    // No day of what follows is before its start.
    let from = after.map_or(wanted.from, |place| place.start.max(wanted.from));
    let (placed, confirmed, cancelled) =
        (slot.table(PLACED), with_step(slot, CONFIRMED, from), with_step(slot, CANCELLED, from));
    let start = match span {
        Span::Day => "day",
        Span::Week => "week",
        Span::Month => "month",
    };
    let days = format!("day BETWEEN {from} AND {to}");
    let orders = format!(
        "SELECT {start} AS start, currency, country, customer_id, units AS sold_units, amount AS sold_amount, products, line_units, \
         line_amounts, {cancelled} AS gone FROM {placed} FINAL WHERE {days} AND {confirmed}"
    );
    let told_apart = match SalesKind::try_from(i32::try_from(*kind).unwrap_or_default()) {
        Ok(SalesKind::Product) => format!(
            "SELECT start, currency, gone, key, sold_units, sold_amount FROM (SELECT start, currency, gone, products, line_units, \
             line_amounts FROM ({orders})) ARRAY JOIN products AS key, line_units AS sold_units, line_amounts AS sold_amount"
        ),
        Ok(SalesKind::Country) => {
            format!("SELECT start, currency, gone, country AS key, sold_units, sold_amount FROM ({orders})")
        }
        Ok(SalesKind::Cohort) => format!(
            "SELECT start, currency, gone, key, sold_units, sold_amount FROM ({orders}) AS sale ANY LEFT JOIN \
             (SELECT customer_id, min(cohort) AS key FROM {placed} WHERE customer_id IN \
             (SELECT customer_id FROM {placed} WHERE {days}) GROUP BY customer_id) AS customer USING (customer_id)"
        ),
        _ => format!("SELECT start, currency, gone, '' AS key, sold_units, sold_amount FROM ({orders})"),
    };
    let only = key.as_ref().map(|key| format!(" WHERE key = {}", literal(key))).unwrap_or_default();
    let rest = after.map(|SalePlace { start, key, currency }| {
        format!(" HAVING (start, key, currency) > ({start}, {}, {})", literal(key), literal(currency))
    });
    format!(
        "SELECT start, key, currency, toInt64(count()) AS orders, sum(sold_units) AS units, sum(sold_amount) AS amount, \
         toInt64(sum(gone)) AS cancelled_orders, sum(sold_units * gone) AS cancelled_units, \
         sum(sold_amount * gone) AS cancelled_amount FROM ({told_apart}){only} GROUP BY start, key, currency{} \
         ORDER BY start, key, currency LIMIT {limit}",
        rest.unwrap_or_default()
    )
}
