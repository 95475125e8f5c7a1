use contracts::tradewind::payment::v1::ListPaymentsResponse;
use tradewind_domain::{Error, OrderId, request};
use tradewind_events::Projection;
use tradewind_store::Store;

use crate::store;

/// The list of payments, kept from their own events.
#[must_use]
pub fn payment_list() -> Projection {
    Projection::of("payment.payments", |tx, payment| {
        store::put(tx, payment);
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
    let found = store::page(store.reader(), after, size + 1).await?;
    let (payments, next_page_token) = request::page(found, size, |last| last.order_id.clone());
    Ok(ListPaymentsResponse { payments, next_page_token })
}
