//! One item.

use contracts::tradewind::sample::v1::GetItemResponse;
use tradewind_domain::Error;
use tradewind_store::Store;

use crate::domain::ItemError;
use crate::store::items;

/// Returns the item with this id.
///
/// # Errors
/// `NotFound` with reason `ITEM_NOT_FOUND`.
pub async fn get_item(store: &Store, item_id: &str) -> Result<GetItemResponse, Error> {
    let row = items::find(store.reader(), item_id).await?.ok_or(ItemError::NotFound)?;
    Ok(GetItemResponse { item: Some(row.into()) })
}
