//! Another price: the row and ProductRepriced in one transaction.

use contracts::tradewind::catalog::v1::RepriceProductResponse;
use tradewind_domain::{Error, Money, request::RequestKey};
use tradewind_store::{Store, Tx};

use crate::domain::{Command, Product, ProductError};
use crate::store;

/// Changes the price of a product, once for each `request`, and returns it with the token of this write; the price it has
/// already changes nothing.
///
/// # Errors
/// `NotFound` with reason `PRODUCT_NOT_FOUND`; `Rejected` with reason `CURRENCY_CHANGED` or `PRODUCT_RETIRED`; `Invalid`
/// with reason `REQUEST_ID_REUSED` when the request's id was used for something else.
pub async fn reprice_product(
    store: &Store,
    request: Option<&RequestKey>,
    product_id: &str,
    price: Money,
) -> Result<RepriceProductResponse, Error> {
    let (response, position) = store.once(request, async |tx: &mut Tx| reprice(tx, product_id, price).await).await?;
    Ok(RepriceProductResponse { position, ..response })
}

async fn reprice(tx: &mut Tx, product_id: &str, price: Money) -> Result<RepriceProductResponse, Error> {
    let decided = tx.execute::<Product>(product_id, Command::Reprice(price)).await?;
    let row = if decided.events.is_empty() {
        store::find(tx.conn(), product_id).await?.ok_or(ProductError::NotFound)?
    } else {
        store::reprice(tx.conn(), product_id, price, tx.now()).await?
    };
    Ok(RepriceProductResponse { product: Some(row.into()), position: String::new() })
}
