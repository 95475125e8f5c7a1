//! The list of orders, kept from the order's own events.

use std::marker::PhantomData;

use contracts::tradewind::ordering::v1::{
    OrderCancellationRefused, OrderCancellationRequested, OrderCancelled, OrderClosed, OrderCompensated,
    OrderConfirmed, OrderDelivered, OrderPaid, OrderPlaced, OrderShipped, OrderStockConfirmed,
};
use prost::{Message, Name};
use tradewind_domain::Error;
use tradewind_events::{Reaction, Reactions, Received, StreamName, Tx};

use super::{ORDER_LIST, view::View};
use crate::{domain::Order, store::order_list as table};

/// The projection: every event of an order updates its entry.
pub(crate) fn order_list() -> Reactions {
    Reactions::new(ORDER_LIST)
        .on(Keep::<OrderPlaced>::new())
        .on(Keep::<OrderStockConfirmed>::new())
        .on(Keep::<OrderPaid>::new())
        .on(Keep::<OrderConfirmed>::new())
        .on(Keep::<OrderCancellationRequested>::new())
        .on(Keep::<OrderCancellationRefused>::new())
        .on(Keep::<OrderCancelled>::new())
        .on(Keep::<OrderCompensated>::new())
        .on(Keep::<OrderClosed>::new())
        .on(Keep::<OrderShipped>::new())
        .on(Keep::<OrderDelivered>::new())
}

/// Writes the order as it is by now, which may be further than the event; an entry never goes back.
struct Keep<E>(PhantomData<fn() -> E>);

impl<E> Keep<E> {
    const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E: Message + Name + Default + 'static> Reaction for Keep<E> {
    type Event = E;
    const NAME: &'static str = "keep_order_list";

    async fn give_up(&self, _: &mut Tx, _: &StreamName) -> Result<(), Error> {
        Ok(())
    }

    async fn react(&self, tx: &mut Tx, event: &Received<E>) -> Result<(), Error> {
        let order = tx.load_since::<Order>(event.stream.id(), event.version).await?;
        // The entry claims no more than this event, so that each later one brings its time.
        let view = View { order: order.state, version: event.version, created: event.time, updated: event.time };
        table::put(tx, view.into())
    }
}
