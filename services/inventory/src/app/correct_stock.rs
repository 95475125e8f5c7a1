//! What was counted: the level is set to it, and StockCorrected is appended to the level's stream.

use contracts::tradewind::inventory::v1::{CorrectStockResponse, StockCorrected, StockCount, StockLevel};
use tradewind_domain::{Error, request::RequestKey};
use tradewind_store::{Store, Tx};

use crate::domain::{Correction, LevelEvent, level_id, level_stream};
use crate::store::{self, StockRow};

/// Corrects a level, once for each `request`, and returns it with the token of this write. What arrived is taken to have been so much
/// more, or less: nothing that was set aside or has left is touched.
///
/// # Errors
/// `NotFound` with reason `STOCK_NOT_FOUND` when none was ever received there; `Rejected` with reason `LEVEL_BELOW_RESERVED` when less
/// would be left than is set aside, and `LEVEL_OUT_OF_RANGE` when the level would pass 64 bits; `Invalid` with reason
/// `REQUEST_ID_REUSED` when the id was used for something else.
pub async fn correct_stock(
    store: &Store,
    request: &RequestKey,
    correction: &Correction,
) -> Result<CorrectStockResponse, Error> {
    let correcting = async |tx: &mut Tx| correct(tx, correction, &request.principal).await;
    let (response, position) = store.once(Some(request), correcting).await?;
    Ok(CorrectStockResponse { position, ..response })
}

/// Corrects a level as part of `tx`, as `by` says; the response has no token yet.
///
/// # Errors
/// `NotFound` and `Rejected`, as above.
pub async fn correct(tx: &mut Tx, correction: &Correction, by: &str) -> Result<CorrectStockResponse, Error> {
    let Correction { sku, location, to, reason } = correction;
    let Some(row) = store::lock_level(tx.conn(), sku, location).await? else {
        let level = level_id(sku, location);
        return Err(Error::not_found::<StockLevel>(&level, "STOCK_NOT_FOUND", "none was ever received there"));
    };
    let change = to.change(StockCount::from(&row))?;
    if change == 0 {
        return Ok(CorrectStockResponse { level: Some(row.into()), change, position: String::new() });
    }
    let row = StockRow { received: row.received + change, receipts: row.receipts + 1, ..row };
    store::set_counters(tx.conn(), &row).await?;
    let version = u64::try_from(row.receipts).map_err(Error::internal)?;
    let level = StockLevel::from(row);
    let corrected = StockCorrected {
        sku: sku.clone(),
        location: location.clone(),
        change,
        on_hand: level.on_hand,
        note: reason.clone().into_exposed(),
        corrected_by: by.to_owned(),
    };
    tx.append(&level_stream(sku, location), version - 1, sku, vec![LevelEvent::from(corrected)]).await?;
    Ok(CorrectStockResponse { level: Some(level), change, position: String::new() })
}
