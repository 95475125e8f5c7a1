use contracts::tradewind::ordering::v1::{Order as Resource, Recipient};
use tradewind_domain::{Error, OrderId};
use tradewind_sql::timestamp;
use tradewind_store::{AsOf, Loaded, Store};

use crate::domain::{Order, OrderError};

/// The order now, or as it was at `point`.
///
/// # Errors
/// `NotFound` when there is no such order, or was none then.
pub(super) async fn load(store: &Store, id: OrderId, point: Option<AsOf>) -> Result<Loaded<Order>, Error> {
    let id = id.to_string();
    let order = match point {
        None => store.load::<Order>(&id).await?,
        Some(point) => store.load_as_of(&id, point).await?,
    };
    if order.version == 0 { Err(OrderError::NotFound.into()) } else { Ok(order) }
}

/// Whose an order is; nobody's where there is none.
///
/// # Errors
/// Whatever the database says.
pub(crate) async fn owner(store: &Store, id: OrderId) -> Result<Option<String>, Error> {
    let order = store.load::<Order>(&id.to_string()).await?.state;
    Ok(order.placed.as_deref().map(|placed| placed.customer_id.clone()))
}

/// An order as the contract shows it.
pub(super) fn resource(Loaded { state: order, version, created, updated }: Loaded<Order>) -> Resource {
    let placed = order.placed.as_deref().cloned().unwrap_or_default();
    // In what is left of events of somebody erased there is a recipient of whom nothing is known.
    let recipient = placed.recipient.filter(|recipient| *recipient != Recipient::default());
    let country = match &recipient {
        // An order of a release before says it in the address alone.
        Some(Recipient { address: Some(address), .. }) if placed.country.is_empty() => address.country.clone(),
        _ => placed.country,
    };
    Resource {
        order_id: placed.order_id,
        customer_id: placed.customer_id,
        status: order.status.into(),
        recipient,
        country,
        lines: placed.lines,
        total: placed.total,
        cancellation_requested: order.cancellation_requested,
        cancellation_reason: order.reason,
        cancellation_detail: order.detail,
        short_lines: order.short_lines,
        refunded: order.refunded,
        tracking: order.tracking,
        create_time: Some(timestamp(created)),
        update_time: Some(timestamp(updated)),
        deadline: placed.deadline,
        version,
    }
}
