//! All products, a page at a time.

use contracts::tradewind::catalog::v1::{ListProductsResponse, Product};
use tradewind_domain::Error;
use tradewind_events::Store;

use crate::store;

/// Returns up to `size` products that follow the id `after`; from the first with an empty one.
///
/// # Errors
/// When the database fails.
pub async fn list_products(store: &Store, after: &str, size: usize) -> Result<ListProductsResponse, Error> {
    let mut rows = store::page(store.reader(), after, size + 1).await?;
    let more = rows.len() > size;
    rows.truncate(size);
    let next_page_token = match rows.last() {
        Some(last) if more => last.product_id.clone(),
        _ => String::new(),
    };
    Ok(ListProductsResponse { products: rows.into_iter().map(Product::from).collect(), next_page_token })
}
