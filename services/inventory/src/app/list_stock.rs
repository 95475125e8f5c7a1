//! All levels, a page at a time.

use contracts::tradewind::inventory::v1::{ListStockResponse, StockLevel};
use tradewind_domain::{Error, request};
use tradewind_store::Store;

use crate::domain::level_id;
use crate::store;

/// Returns up to `size` levels that follow the SKU and location `after`.
///
/// # Errors
/// When the database fails.
pub async fn list_stock(store: &Store, after: Option<(&str, &str)>, size: usize) -> Result<ListStockResponse, Error> {
    let found = store::stock_page(store.reader(), after, size + 1).await?;
    let found = found.into_iter().map(StockLevel::from).collect();
    let (levels, next_page_token) = request::page(found, size, |last: &StockLevel| level_id(&last.sku, &last.location));
    Ok(ListStockResponse { levels, next_page_token })
}
