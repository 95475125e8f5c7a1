//! A new product: its row and ProductListed in one transaction.

use contracts::tradewind::catalog::v1::CreateProductResponse;
use tradewind_domain::{Aggregate, Error};
use tradewind_store::{Committed, RequestKey, Store, StreamName, Tx};

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
    let (response, committed) = store.retry(|| attempt(store, request, listing)).await?;
    Ok(CreateProductResponse { position: store.token(&committed).await?, ..response })
}

async fn attempt(
    store: &Store,
    request: Option<&RequestKey>,
    listing: &Listing,
) -> Result<(CreateProductResponse, Committed), Error> {
    let mut tx = store.begin().await?;
    if let Some(request) = request
        && let Some(response) = tx.recall(request).await?
    {
        return Ok((response, tx.commit().await?));
    }
    let response = list(&mut tx, listing).await?;
    if let Some(request) = request {
        tx.remember(request, &response);
    }
    Ok((response, tx.commit().await?))
}

/// The row tells whether the id is free, so the stream of a new product need not be looked for.
async fn list(tx: &mut Tx, listing: &Listing) -> Result<CreateProductResponse, Error> {
    let row = ProductRow::listed(listing, tx.now());
    if !store::insert(tx.conn(), &row).await? {
        return Err(ProductError::Exists.into());
    }
    let events = Product::default().decide(Command::List(listing.clone()))?;
    tx.append(&StreamName::of::<Product>(&listing.product_id), 0, &listing.product_id, events).await?;
    Ok(CreateProductResponse { product: Some(row.into()), position: String::new() })
}
