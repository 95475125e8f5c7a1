//! Goods that arrived: the level grows and StockReceived is appended to the level's stream.

use contracts::tradewind::inventory::v1::{ReceiveStockResponse, StockReceived};
use tradewind_domain::{Error, request::RequestKey};
use tradewind_store::{Store, Tx};

use crate::domain::{LevelError, LevelEvent, Receipt, level_stream};
use crate::store;

/// Books `receipt` in, once for each `request`, and returns the level after it with the token of this write.
///
/// # Errors
/// `Rejected` with reason `LEVEL_OUT_OF_RANGE` when the level would pass 64 bits; `Invalid` with reason
/// `REQUEST_ID_REUSED` when the id was used for something else.
pub async fn receive_stock(
    store: &Store,
    request: Option<&RequestKey>,
    receipt: &Receipt,
) -> Result<ReceiveStockResponse, Error> {
    let (response, position) = store.once(request, async |tx: &mut Tx| book_in(tx, receipt).await).await?;
    Ok(ReceiveStockResponse { position, ..response })
}

/// Books `receipt` in as part of `tx`; the response has no token yet.
///
/// # Errors
/// `Rejected` with reason `LEVEL_OUT_OF_RANGE`, as above.
pub async fn book_in(tx: &mut Tx, receipt: &Receipt) -> Result<ReceiveStockResponse, Error> {
    let Receipt { sku, location, quantity } = receipt;
    let row = store::receive(tx.conn(), sku, location, *quantity).await?.ok_or(LevelError::OutOfRange)?;
    let version = u64::try_from(row.receipts).map_err(Error::internal)?;
    let received = StockReceived { received: Some(receipt.clone().into()) };
    tx.append(&level_stream(sku, location), version - 1, sku, vec![LevelEvent::from(received)]).await?;
    Ok(ReceiveStockResponse { level: Some(row.into()), position: String::new() })
}
