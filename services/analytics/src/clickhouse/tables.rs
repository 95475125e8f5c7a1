//! The tables of facts, each in both slots. A row that comes again has the same key, and one of the two is dropped: by the server when it
//! likes, and by whoever asks until then.

use tradewind_projections::Slot;

/// Orders, on the day on which they were placed.
pub(super) const PLACED: &str = "order_placed";
/// How far they have come besides.
pub(super) const REACHED: &str = "order_reached";
/// What has become of stock.
pub(super) const MOVED: &str = "stock_moved";

/// Of each table the columns, and those that it is sorted by, which tell its rows apart.
pub(super) const ALL: [(&str, &str, &str); 3] = [
    (
        PLACED,
        "order_id UUID, customer_id String, country String, currency String, at Int64, day Int64, week Int64, month Int64, \
         cohort String, units Int64, amount Int64, products Array(String), line_units Array(Int64), line_amounts Array(Int64)",
        "day, order_id",
    ),
    (REACHED, "order_id UUID, step Int64, reason Int64, at Int64, day Int64", "step, day, order_id"),
    (
        MOVED,
        "id String, sku String, location String, day Int64, change Int64, is_taken UInt8",
        "sku, location, day, id",
    ),
];

/// The statement that makes a table where it is not there. Of two rows of a key the one of the later version of the projection stays.
pub(super) fn create(slot: Slot, table: &str, columns: &str, order: &str) -> String {
    let table = slot.table(table);
    format!(
        "CREATE TABLE IF NOT EXISTS {table} ({columns}, version UInt32) ENGINE = ReplacingMergeTree(version) ORDER BY ({order})"
    )
}

/// The statement that empties one.
pub(super) fn clear(slot: Slot, table: &str) -> String {
    format!("TRUNCATE TABLE {}", slot.table(table))
}
