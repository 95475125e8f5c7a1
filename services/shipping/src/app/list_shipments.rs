use contracts::tradewind::shipping::v1::ListShipmentsResponse;
use tradewind_domain::Error;
use tradewind_events::Store;

use crate::domain::OrderId;
use crate::store;

/// Up to `size` shipments that follow the order `after`, by order id; from the first without it.
///
/// They are read from a projection, which is a moment behind the shipments themselves.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn list_shipments(
    store: &Store,
    after: Option<OrderId>,
    size: usize,
) -> Result<ListShipmentsResponse, Error> {
    let mut shipments = store::page(store.reader(), after, size + 1).await?;
    let more = shipments.len() > size;
    shipments.truncate(size);
    let next_page_token = match shipments.last() {
        Some(last) if more => last.order_id.clone(),
        _ => String::new(),
    };
    Ok(ListShipmentsResponse { shipments, next_page_token })
}
