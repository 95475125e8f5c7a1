#[cfg(test)]
mod tests;

use contracts::tradewind::ordering::v1::{HistoryEntry, Order as Resource};
use tradewind_domain::{Error, OrderId};
use tradewind_store::{AsOf, Store};

use super::view;

/// The order now, or as it was at `point`.
///
/// # Errors
/// `NotFound` when there is no such order, or was none at that time, or it has not seen so many events.
pub(crate) async fn get_order(store: &Store, id: OrderId, point: Option<AsOf>) -> Result<Resource, Error> {
    let order = view::load(store, id, point).await?;
    match point {
        Some(AsOf::Version(version)) if order.version < version => {
            let text = format!("the order has seen only {} events", order.version);
            let refused = Error::not_found::<HistoryEntry>(format!("{id} {version}"), "ORDER_VERSION_NOT_FOUND", text);
            Err(refused.with("version", order.version.to_string()))
        }
        _ => Ok(view::resource(order)),
    }
}
