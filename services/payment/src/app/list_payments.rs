use contracts::tradewind::payment::v1::Payment as Resource;
use tradewind_domain::Error;
use tradewind_events::Store;

use crate::domain::OrderId;
use crate::store;

/// Up to `size` payments that follow `after` by order id, and the order id after which more follow, if any do.
///
/// They are read from a projection, which is a moment behind the payments themselves.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn list_payments(
    store: &Store,
    after: Option<OrderId>,
    size: usize,
) -> Result<(Vec<Resource>, Option<String>), Error> {
    let mut payments = store::page(store.reader(), after, size + 1).await?;
    let more = payments.len() > size;
    payments.truncate(size);
    let next = payments.last().filter(|_| more).map(|last| last.order_id.clone());
    Ok((payments, next))
}
