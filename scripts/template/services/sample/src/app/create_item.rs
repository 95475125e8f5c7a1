//! A new item: ItemCreated and its row in one transaction.

use contracts::tradewind::sample::v1::CreateItemResponse;
use tradewind_domain::{Error, request::RequestKey};
use tradewind_store::{Store, Tx};

use crate::domain::{Command, Item, ItemError, NewItem};
use crate::store::{ItemRow, items};

/// Adds an item, once for each `request`, and returns it with the token of this write.
///
/// # Errors
/// `AlreadyExists` with reason `ITEM_EXISTS` when the id is taken; `Invalid` with reason `REQUEST_ID_REUSED` when the
/// request's id was used for something else.
pub async fn create_item(
    store: &Store,
    request: Option<&RequestKey>,
    item: &NewItem,
) -> Result<CreateItemResponse, Error> {
    let (response, position) = store.once(request, async |tx: &mut Tx| add(tx, item).await).await?;
    Ok(CreateItemResponse { position, ..response })
}

/// Adds an item as part of `tx`; the response has no token yet.
///
/// # Errors
/// `AlreadyExists` with reason `ITEM_EXISTS`, as above.
pub(super) async fn add(tx: &mut Tx, item: &NewItem) -> Result<CreateItemResponse, Error> {
    tx.execute::<Item>(&item.item_id, Command::Create(item.clone())).await?;
    let row = ItemRow::new(item, tx.now());
    if !items::insert(tx.conn(), &row).await? {
        // Somebody was faster, between the look at its events and this.
        return Err(ItemError::Exists.into());
    }
    Ok(CreateItemResponse { item: Some(row.into()), position: String::new() })
}
