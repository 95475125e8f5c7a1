use contracts::tradewind::ordering::v1::Order as Resource;
use futures::stream::{Stream, unfold};
use tradewind_domain::{Error, OrderId};
use tradewind_store::{Loaded, Store};

use super::{
    changes::{OrderChanges, Watched},
    view::{self, resource},
};
use crate::domain::Order;

/// The order now and after each change, until it is settled. Changes in quick succession may be shown as one.
///
/// # Errors
/// `NotFound` when there is no such order; later in the stream, which then ends, whatever the database says.
pub(crate) async fn watch_order(
    store: Store,
    changes: &OrderChanges,
    id: OrderId,
) -> Result<impl Stream<Item = Result<Resource, Error>> + Send + use<>, Error> {
    // First, so that nothing is missed between looking and watching.
    let watched = changes.watch(id);
    let order = view::load(&store, id, None).await?;
    let watching = Watching { store, id, watched, shown: 0, next: Some(order) };
    Ok(unfold(Some(watching), |watching| async move {
        let mut watching = watching?;
        match watching.next().await {
            Ok(order) => {
                let open = (!order.state.is_settled()).then_some(watching);
                Some((Ok(resource(order)), open))
            }
            Err(error) => Some((Err(error), None)),
        }
    }))
}

struct Watching {
    store: Store,
    id: OrderId,
    watched: Watched,
    /// The version last shown.
    shown: u64,
    /// What is to be shown without waiting.
    next: Option<Loaded<Order>>,
}

impl Watching {
    async fn next(&mut self) -> Result<Loaded<Order>, Error> {
        let order = match self.next.take() {
            Some(order) => order,
            None => self.changed().await?,
        };
        self.shown = order.version;
        Ok(order)
    }

    /// Waits until the order is newer than what was shown.
    async fn changed(&mut self) -> Result<Loaded<Order>, Error> {
        let id = self.id.to_string();
        loop {
            self.watched.changed(self.shown).await;
            let order = self.store.load_since::<Order>(&id, self.shown + 1).await?;
            if order.version > self.shown {
                return Ok(order);
            }
        }
    }
}
