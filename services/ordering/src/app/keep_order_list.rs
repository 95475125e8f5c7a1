//! The list of orders, kept from the order's own events.

use tradewind_domain::Error;
use tradewind_events::{Reactions, Received};
use tradewind_store::Tx;

use super::{ORDER_LIST, view::View};
use crate::{
    domain::{Order, OrderEvent},
    store::order_list as table,
};

/// The projection: every event of an order updates its entry.
pub(crate) fn order_list() -> Reactions {
    Reactions::new(ORDER_LIST).on_any("keep_order_list", keep_order_list)
}

/// Writes the order as it is by now, which may be further than the event; an entry never goes back.
async fn keep_order_list(tx: &mut Tx, event: &Received<OrderEvent>) -> Result<(), Error> {
    let order = tx.load_since::<Order>(event.stream.id(), event.version).await?;
    // The entry claims no more than this event, so that each later one brings its time.
    let view = View { order: order.state, version: event.version, created: event.time, updated: event.time };
    table::put(tx, view.into())
}
