//! Counts of a level, and what lies between two of them.

use contracts::tradewind::inventory::v1::StockCount;

/// Both together.
#[must_use]
pub fn plus(one: StockCount, other: StockCount) -> StockCount {
    each(one, other, i64::saturating_add)
}

/// What `one` has more than the other.
#[must_use]
pub fn minus(one: StockCount, other: StockCount) -> StockCount {
    each(one, other, i64::saturating_sub)
}

/// Whether a level can be counted so: nothing is below zero, and what is set aside is there.
#[must_use]
pub fn is_possible(StockCount { received, shipped, reserved }: StockCount) -> bool {
    shipped >= 0 && reserved >= 0 && received.saturating_sub(shipped) >= reserved
}

fn each(one: StockCount, other: StockCount, take: fn(i64, i64) -> i64) -> StockCount {
    StockCount {
        received: take(one.received, other.received),
        shipped: take(one.shipped, other.shipped),
        reserved: take(one.reserved, other.reserved),
    }
}
