use contracts::tradewind::ordering::v1::Order as Resource;
use tradewind_domain::{Error, OrderId};
use tradewind_store::{Store, Tx};

use super::{decide, view};
use crate::domain::Command;

/// Cancels an order for the customer, or asks shipping to let it go, and returns how far that is.
///
/// # Errors
/// `NotFound` when there is no such order; `Rejected` with `ALREADY_SHIPPED` after dispatch.
pub(crate) async fn cancel_order(store: &Store, id: OrderId) -> Result<Resource, Error> {
    let key = id.to_string();
    store.transact(async |tx: &mut Tx| decide::execute(tx, &key, Command::Cancel).await).await?;
    view::load(store, id, None).await.map(view::resource)
}
