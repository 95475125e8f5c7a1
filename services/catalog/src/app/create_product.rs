//! A new product: its row and ProductListed in one transaction.

use contracts::tradewind::catalog::v1::CreateProductResponse;
use tradewind_domain::{Error, request::RequestKey};
use tradewind_store::{Store, Tx};

use crate::domain::{Command, Listing, Product, ProductError};
use crate::store::{self, ProductRow};

/// Lists a product, once for each `request`, and returns it with the token of this write.
///
/// # Errors
/// `AlreadyExists` with reason `PRODUCT_EXISTS` when the id is taken; `Invalid` with reason `REQUEST_ID_REUSED` when the
/// request's id was used for something else.
pub async fn create_product(
    store: &Store,
    request: Option<&RequestKey>,
    listing: &Listing,
) -> Result<CreateProductResponse, Error> {
    let (response, position) = store.once(request, async |tx: &mut Tx| list(tx, listing).await).await?;
    Ok(CreateProductResponse { position, ..response })
}

/// The row tells whether the id is free, so the stream of a new product need not be looked for.
async fn list(tx: &mut Tx, listing: &Listing) -> Result<CreateProductResponse, Error> {
    let row = ProductRow::listed(listing, tx.now());
    if !store::insert(tx.conn(), &row).await? {
        return Err(ProductError::Exists.into());
    }
    tx.create::<Product>(&listing.product_id, Command::List(listing.clone())).await?;
    Ok(CreateProductResponse { product: Some(row.into()), position: String::new() })
}
