//! The levels of one SKU.

use contracts::tradewind::inventory::v1::{GetStockResponse, StockLevel};
use tradewind_domain::Error;
use tradewind_store::Store;

use crate::store;

/// Returns the levels of `sku` at every location that ever received some.
///
/// # Errors
/// `NotFound` with reason `STOCK_NOT_FOUND` when none did.
pub async fn get_stock(store: &Store, sku: &str) -> Result<GetStockResponse, Error> {
    let levels: Vec<StockLevel> =
        store::levels_of(store.reader(), sku).await?.into_iter().map(StockLevel::from).collect();
    if levels.is_empty() {
        return Err(Error::not_found::<StockLevel>(sku, "STOCK_NOT_FOUND", "none was ever received"));
    }
    Ok(GetStockResponse { levels })
}
