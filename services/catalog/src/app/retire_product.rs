//! The end of a product: the row and ProductRetired in one transaction.

use contracts::tradewind::catalog::v1::RetireProductResponse;
use tradewind_domain::{Error, request::RequestKey};
use tradewind_store::{Store, Tx};

use crate::domain::{Command, Product, ProductError};
use crate::store;

/// Takes a product off sale and returns it with the token of this write; one that is off sale stays as it is.
///
/// # Errors
/// `NotFound` with reason `PRODUCT_NOT_FOUND`; `Invalid` with reason `REQUEST_ID_REUSED` when the request's id was used
/// for something else.
pub async fn retire_product(
    store: &Store,
    request: Option<&RequestKey>,
    product_id: &str,
) -> Result<RetireProductResponse, Error> {
    let (response, position) = store.once(request, async |tx: &mut Tx| retire(tx, product_id).await).await?;
    Ok(RetireProductResponse { position, ..response })
}

async fn retire(tx: &mut Tx, product_id: &str) -> Result<RetireProductResponse, Error> {
    let decided = tx.execute::<Product>(product_id, Command::Retire).await?;
    let row = if decided.events.is_empty() {
        store::find(tx.conn(), product_id).await?.ok_or(ProductError::NotFound)?
    } else {
        store::retire(tx.conn(), product_id, tx.now()).await?
    };
    Ok(RetireProductResponse { product: Some(row.into()), position: String::new() })
}
