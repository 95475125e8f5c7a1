use contracts::tradewind::payment::v1::ListPaymentsResponse;
use tradewind_domain::{Error, OrderId, request};
use tradewind_projections::{Projection, read};
use tradewind_store::Store;

use crate::store;

const PAYMENTS: &str = "payment.payments";

/// The list of payments, kept from their own events.
#[must_use]
pub fn payment_list() -> Projection {
    Projection::new(PAYMENTS, 1).table::<store::payment::Entity>().showing(|writer, _, payment| {
        store::put(writer, payment);
        Ok(())
    })
}

/// Up to `size` payments that follow the order `after`, by order id; from the first without it.
///
/// They are read from a projection, which is a moment behind the payments themselves.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn list_payments(store: &Store, after: Option<OrderId>, size: usize) -> Result<ListPaymentsResponse, Error> {
    let found = store::page(store.reader(), read(store, PAYMENTS).await?, after, size + 1).await?;
    let (payments, next_page_token) = request::page(found, size, |last| last.order_id.clone());
    Ok(ListPaymentsResponse { payments, next_page_token })
}
