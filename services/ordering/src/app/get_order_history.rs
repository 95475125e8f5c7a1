use contracts::tradewind::ordering::v1::HistoryEntry;
use tradewind_domain::{Error, OrderId};
use tradewind_sql::timestamp;
use tradewind_store::{Recorded, Store};

use crate::domain::{Order, OrderError};

/// Everything that happened to an order, oldest first.
///
/// # Errors
/// `NotFound` when there is no such order.
pub(crate) async fn get_order_history(store: &Store, id: OrderId) -> Result<Vec<HistoryEntry>, Error> {
    let history = store.history_of::<Order>(&id.to_string()).await?;
    if history.is_empty() {
        return Err(OrderError::NotFound.into());
    }
    let entry = |(event, order): (Recorded, Order)| HistoryEntry {
        version: event.version,
        r#type: event.type_name,
        time: Some(timestamp(event.time)),
        causation: event.metadata.causation,
        status: order.status.into(),
    };
    Ok(history.into_iter().map(entry).collect())
}
