//! Keeps a lane for each endpoint whose turn is this process's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_replicas::Members;
use tradewind_store::Store;

use super::endpoints::Endpoints;
use super::lane::{Lane, Shared, turn};
use super::metrics;
use super::post::Post;
use super::rules::Rules;
use super::tidy::Tidy;

/// How often it is looked who is told.
const LOOK: Duration = Duration::from_secs(2);

/// Tells every endpoint.
pub(crate) struct Sender(Arc<Shared>);

impl Sender {
    pub(crate) fn new(store: Store, endpoints: Arc<Endpoints>, post: Post, rules: Rules) -> Self {
        metrics::begin();
        Self(Arc::new(Shared { store, endpoints, post, rules, open: AtomicU64::new(0) }))
    }

    /// Works until `stop`; then waits for the requests under way.
    ///
    /// # Errors
    /// None at present.
    pub(crate) async fn run(self, members: Members, stop: CancellationToken) -> Result<(), Error> {
        let tidy = Tidy::new(Arc::clone(&self.0));
        tokio::join!(self.tell(&members, &stop), tidy.run(members.seen(), &stop));
        Ok(())
    }

    /// Keeps the lanes, and looks by time alone whom there are lanes for: whoever changes that here looks at once.
    async fn tell(&self, members: &Members, stop: &CancellationToken) {
        let (mut roster, mut seen) = (members.seen(), self.0.endpoints.seen());
        let (mut lanes, mut running) = (JoinSet::new(), BTreeMap::<String, AbortHandle>::new());
        let mut next_look = Instant::now();
        while !stop.is_cancelled() {
            if next_look <= Instant::now() {
                stop.run_until_cancelled(self.look()).await;
                next_look = Instant::now() + LOOK;
            }
            seen.mark_unchanged();
            running.retain(|_, lane| !lane.is_finished());
            for endpoint in self.0.endpoints.known().all() {
                let (id, is_mine) = (endpoint.id(), roster.borrow().is_my_turn(&turn(endpoint.id())));
                if is_mine && !running.contains_key(id) {
                    let lane = Lane::new(Arc::clone(&self.0), Arc::clone(endpoint));
                    running.insert(id.to_owned(), lanes.spawn(lane.run(members.seen(), stop.clone())));
                }
            }
            metrics::circuits(self.0.open.load(Ordering::Relaxed));
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = lanes.join_next() => tell_lost(ended),
                Ok(()) = seen.changed() => {}
                Ok(()) = roster.changed() => {}
                () = tokio::time::sleep_until(next_look) => {}
            }
        }
        while let Some(ended) = lanes.join_next().await {
            tell_lost(ended);
        }
    }

    async fn look(&self) {
        if let Err(error) = self.0.endpoints.look(self.0.store.command_reader()).await {
            tracing::warn!(%error, "who is told of events cannot be read");
        }
    }
}

/// A lane ends where it is not to go on; one that has panicked is begun again.
fn tell_lost(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "telling an endpoint was broken off");
    }
}
