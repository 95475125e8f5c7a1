//! Publishing: the own log and its heads, removing what was erased, and telling of what the broker holds, in whichever process has
//! the turn.

use tokio_util::sync::CancellationToken;
use tradewind_broker::Broker;
use tradewind_domain::Error;
use tradewind_replicas::Members;
use tradewind_replicas::tenure::{self, Turn};
use tradewind_store::Store;

use crate::heads;
use crate::held::measure;
use crate::outlet::{Outlet, Show};
use crate::purge::purge;
use crate::relay::Relay;

/// Publishes the own log and its heads, in one process at a time, until `stop`; `show` tells what of an event whoever is outside sees.
///
/// # Errors
/// `Internal` when the relay fails.
pub async fn publish(
    store: Store,
    members: Members,
    broker: Broker,
    show: Show,
    stop: CancellationToken,
) -> Result<(), Error> {
    let work = |Turn { over, .. }| {
        let relay = Relay::new(store.clone(), broker.clone()).run(over.clone());
        let outlet = Box::pin(Outlet::new(store.clone(), broker.clone(), show).run(over.clone()));
        let heads = heads::publish(store.clone(), broker.clone(), over.clone());
        let purge = Box::pin(purge(store.clone(), broker.clone(), over.clone()));
        let measure = Box::pin(measure(store.clone(), broker.clone(), over));
        async { futures::try_join!(relay, outlet, heads, purge, measure).map(drop) }
    };
    tenure::hold(&members, "relay", &stop, work).await
}
