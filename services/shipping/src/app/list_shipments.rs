use contracts::tradewind::shipping::v1::ListShipmentsResponse;
use tradewind_domain::{Error, OrderId, request};
use tradewind_projections::{Projection, read};
use tradewind_store::Store;

use super::resource::resource;
use crate::store;

const SHIPMENTS: &str = "shipping.shipments";

/// The list of shipments, kept from their own events.
#[must_use]
pub fn shipment_list() -> Projection {
    Projection::new(SHIPMENTS, 1).table::<store::shipment::Entity>().showing(|writer, _, shipment| {
        store::put(writer, &resource(shipment));
        Ok(())
    })
}

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
    let found = store::page(store.reader(), read(store, SHIPMENTS).await?, after, size + 1).await?;
    let (shipments, next_page_token) = request::page(found, size, |last| last.order_id.clone());
    Ok(ListShipmentsResponse { shipments, next_page_token })
}
