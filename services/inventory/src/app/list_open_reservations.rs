//! The reservations that hold stock, a page at a time.

use contracts::tradewind::inventory::v1::ListOpenReservationsResponse;
use tradewind_domain::{Error, request};
use tradewind_store::Store;

use crate::store;

/// Returns up to `size` open reservations that follow the order `after`; from the first with an empty one.
///
/// # Errors
/// When the database fails.
pub async fn list_open_reservations(
    store: &Store,
    after: &str,
    size: usize,
) -> Result<ListOpenReservationsResponse, Error> {
    let found = store::open_reservations(store.reader(), after, size + 1).await?;
    let (reservations, next_page_token) = request::page(found, size, |last| last.order_id.clone());
    Ok(ListOpenReservationsResponse { reservations, next_page_token })
}
