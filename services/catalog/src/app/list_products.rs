//! All products, a page at a time.

use contracts::tradewind::catalog::v1::{ListProductsResponse, Product};
use tradewind_domain::{Error, request};
use tradewind_store::Store;

use crate::store;

/// Returns up to `size` products that follow the id `after`; from the first with an empty one.
///
/// # Errors
/// When the database fails.
pub async fn list_products(store: &Store, after: &str, size: usize) -> Result<ListProductsResponse, Error> {
    let found = store::page(store.reader(), after, size + 1).await?;
    let found = found.into_iter().map(Product::from).collect();
    let (products, next_page_token) = request::page(found, size, |last: &Product| last.product_id.clone());
    Ok(ListProductsResponse { products, next_page_token })
}
