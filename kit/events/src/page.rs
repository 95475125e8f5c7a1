//! Pages that are bounded by bytes before they are read: a statement looks how large its rows are, and gives no more of them than
//! an answer takes, and one.

use tradewind_domain::request::PAGE_BYTES;

/// The text of a query for a page: up to `limit` rows of `SELECT columns FROM rest`, and no more than those that have
/// [`PAGE_BYTES`] together, or the first, and one, by which [`page`](tradewind_domain::request::page) finds out that something follows.
///
/// `rest` says in which order. `size` is an expression for the bytes of a row, of which it may overlook some, and count none too
/// many. `limit` is a number, or a parameter of 64 bits.
#[must_use]
pub fn page_text(columns: &str, size: &str, rest: &str, limit: &str) -> String {
    format!(
        "SELECT {columns} FROM {rest} LIMIT 1 + (SELECT COUNT(*) FROM (SELECT size, SUM(size) OVER (ROWS UNBOUNDED PRECEDING) \
         AS bytes FROM (SELECT {size} AS size FROM {rest} LIMIT {limit} - 1) AS sizes) AS sums \
         WHERE bytes <= {PAGE_BYTES} OR bytes = size)"
    )
}
