//! One product.

use contracts::tradewind::catalog::v1::GetProductResponse;
use tradewind_domain::Error;
use tradewind_store::Store;

use crate::domain::ProductError;
use crate::store;

/// Returns the product with this id.
///
/// # Errors
/// `NotFound` with reason `PRODUCT_NOT_FOUND`.
pub async fn get_product(store: &Store, product_id: &str) -> Result<GetProductResponse, Error> {
    let row = store::find(store.reader(), product_id).await?.ok_or(ProductError::NotFound)?;
    Ok(GetProductResponse { product: Some(row.into()) })
}
