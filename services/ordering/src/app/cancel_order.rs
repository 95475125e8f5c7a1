use contracts::tradewind::ordering::v1::Order as Resource;
use tradewind_domain::{Error, OrderId};
use tradewind_store::Store;

use super::view::View;
use crate::domain::{Command, Order};

/// Cancels an order for the customer, or asks shipping to let it go, and returns how far that is.
///
/// # Errors
/// `NotFound` when there is no such order; `Rejected` with `ALREADY_SHIPPED` after dispatch.
pub(crate) async fn cancel_order(store: &Store, id: OrderId) -> Result<Resource, Error> {
    let key = id.to_string();
    store
        .retry(|| async {
            let mut tx = store.begin().await?;
            tx.execute::<Order>(&key, &key, Command::Cancel).await?;
            tx.commit().await
        })
        .await?;
    Ok(View::load(store, id, None).await?.into())
}
