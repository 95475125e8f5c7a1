//! What is available, and what was taken of it.

use serde::Deserialize;
use tradewind_projections::Slot;

use super::literal::literal;
use super::tables::MOVED;
use crate::domain::Taken;
use crate::store::sales::{StockPlace, stock, taken_since};

/// What is available of an SKU at a location, and what was taken there.
#[derive(Deserialize)]
pub(super) struct Row {
    sku: String,
    location: String,
    available: i64,
    /// How often any was.
    times: i64,
    first: i64,
    units: i64,
    weighed: i64,
}

impl Row {
    pub(super) fn taken(self, days: (i64, i64)) -> (stock::Model, Taken) {
        let Self { sku, location, available, times, first, units, weighed } = self;
        let taken = if times > 0 { taken_since(first, units, weighed, days) } else { Taken::default() };
        (stock::Model { sku, location, available }, taken)
    }
}

/// Up to `limit` of what is available that follow `after`, by SKU and location, with what was taken in these days; of one SKU where one is
/// named.
pub(super) fn question(
    slot: Slot,
    sku: Option<&str>,
    after: Option<&StockPlace>,
    limit: usize,
    (from, to): (i64, i64),
) -> String {
    let only = sku.map(|sku| format!("sku = {}", literal(sku)));
    let rest = after
        .map(|StockPlace { sku, location }| format!("(sku, location) > ({}, {})", literal(sku), literal(location)));
    let these: Vec<_> = only.into_iter().chain(rest).collect();
    let these = if these.is_empty() { String::new() } else { format!(" WHERE {}", these.join(" AND ")) };
    format!(
        "SELECT sku, location, sum(change) AS available, toInt64(countIf(counts)) AS times, toInt64(minIf(day, counts)) AS first, \
         sumIf(0 - change, counts) AS units, sumIf((0 - change) * (day - {from}), counts) AS weighed FROM (\
         SELECT sku, location, change, day, is_taken = 1 AND day BETWEEN {from} AND {to} AS counts FROM {} FINAL{these}) \
         GROUP BY sku, location ORDER BY sku, location LIMIT {limit}",
        slot.table(MOVED)
    )
}
