use contracts::tradewind::inventory::v1::{ListStockMovementsResponse, StockMovement};
use tradewind_domain::{Error, request};
use tradewind_sql::Place;
use tradewind_store::Store;

use super::movements::slot;
use crate::store::{self, Wanted};

/// Up to `size` of the movements that follow `after` by time; from the first without it.
///
/// They are read from a projection, which is a moment behind the levels themselves.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn list_stock_movements(
    store: &Store,
    wanted: &Wanted,
    after: Option<Place>,
    size: usize,
) -> Result<ListStockMovementsResponse, Error> {
    let found = store::movements(store.reader(), slot(store).await?, wanted, after, size + 1).await?;
    let place = |last: &StockMovement| Place::of(last.time.as_ref(), &last.event_id, last.line).to_string();
    let (movements, next_page_token) = request::page(found, size, place);
    Ok(ListStockMovementsResponse { movements, next_page_token })
}
