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

/// Up to `limit` of the sums that follow `after` by start, key and currency.
pub(super) fn question(slot: Slot, wanted: &WantedSales, after: Option<&SalePlace>, limit: usize) -> String {
    let WantedSales { kind, span, to, key, .. } = wanted;
    // No day of what follows is before its start.
    let from = after.map_or(wanted.from, |place| place.start.max(wanted.from));
    let (placed, days) = (slot.table(PLACED), format!("day BETWEEN {from} AND {to}"));
    // A step is not taken before the order is placed, but clocks may differ around midnight.
    let with =
        |step: i64| format!("SELECT order_id FROM {} WHERE step = {step} AND day >= {}", slot.table(REACHED), from - 1);
    let start = match span {
        Span::Day => "day",
        Span::Week => "week",
        Span::Month => "month",
    };
    // Of most orders it is known that they were confirmed, of few that they were cancelled: a join is built by several at once.
    let sales = |columns: &str, told: &str| {
        format!(
            "SELECT start, currency, gone, {told} FROM (SELECT {start} AS start, currency, order_id, {columns}, \
             order_id IN ({}) AS gone FROM {placed} FINAL WHERE {days}) AS sale ANY INNER JOIN ({}) AS confirmed USING (order_id)",
            with(CANCELLED),
            with(CONFIRMED)
        )
    };
    let whole = "units AS sold_units, amount AS sold_amount";
    let told_apart = match SalesKind::try_from(i32::try_from(*kind).unwrap_or_default()) {
        Ok(SalesKind::Product) => {
            let lines = "products, line_units, line_amounts";
            format!(
                "SELECT start, currency, gone, key, sold_units, sold_amount FROM ({}) \
                 ARRAY JOIN products AS key, line_units AS sold_units, line_amounts AS sold_amount",
                sales(lines, lines)
            )
        }
        Ok(SalesKind::Country) => sales(&format!("country, {whole}"), "country AS key, sold_units, sold_amount"),
        Ok(SalesKind::Cohort) => format!(
            "SELECT start, currency, gone, key, sold_units, sold_amount FROM ({}) AS sold ANY LEFT JOIN \
             (SELECT customer_id, min(cohort) AS key FROM {placed} WHERE customer_id IN \
             (SELECT customer_id FROM {placed} WHERE {days}) GROUP BY customer_id) AS customer USING (customer_id)",
            sales(&format!("customer_id, {whole}"), "customer_id, sold_units, sold_amount")
        ),
        _ => sales(whole, "'' AS key, sold_units, sold_amount"),
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
