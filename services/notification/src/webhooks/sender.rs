//! Keeps a lane for each endpoint whose turn is this process's, and what is kept of them within its bounds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_replicas::Members;
use tradewind_sql::micros;
use tradewind_store::{Store, Tx};

use super::endpoints::{Endpoints, Known};
use super::lane::{Lane, Shared, turn};
use super::post::Post;
use super::rules::Rules;
use super::{keep, metrics, queue, remove};

/// How often it is looked who is told.
const LOOK: Duration = Duration::from_secs(2);
/// How often it is looked how much is kept.
const TIDY: Duration = Duration::from_secs(15);
/// The most events that may wait for one endpoint, and the most that are kept which do not.
const MOST_KEPT: u64 = 50_000;
/// The turn of whoever removes what is old.
const TIDYING: &str = "webhooks";

/// Tells every endpoint.
pub(crate) struct Sender {
    shared: Arc<Shared>,
    tidied: Option<Instant>,
}

impl Sender {
    pub(crate) fn new(store: Store, endpoints: Arc<Endpoints>, post: Post, rules: Rules) -> Self {
        metrics::begin();
        let shared = Shared { store, endpoints, post, rules, open: AtomicU64::new(0) };
        Self { shared: Arc::new(shared), tidied: None }
    }

    /// Works until `stop`; then waits for the requests under way.
    ///
    /// # Errors
    /// None at present.
    pub(crate) async fn run(mut self, members: Members, stop: CancellationToken) -> Result<(), Error> {
        let (mut roster, mut changes) = (members.seen(), self.shared.endpoints.changes());
        let (mut lanes, mut running) = (JoinSet::new(), BTreeMap::<String, AbortHandle>::new());
        while !stop.is_cancelled() {
            let known = self.look().await;
            changes.mark_unchanged();
            running.retain(|_, lane| !lane.is_finished());
            for endpoint in known.iter().flat_map(|known| known.all()) {
                let is_mine = roster.borrow_and_update().is_my_turn(&turn(&endpoint.id));
                if is_mine && !running.contains_key(&endpoint.id) {
                    let lane = Lane::new(Arc::clone(&self.shared), endpoint.id.clone());
                    running.insert(endpoint.id.clone(), lanes.spawn(lane.run(members.seen(), stop.clone())));
                }
            }
            metrics::circuits(self.shared.open.load(Ordering::Relaxed));
            if roster.borrow().is_my_turn(TIDYING) {
                self.tidy(known.as_deref()).await;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = lanes.join_next() => tell_lost(ended),
                Ok(()) = changes.changed() => {}
                Ok(()) = roster.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        while let Some(ended) = lanes.join_next().await {
            tell_lost(ended);
        }
        Ok(())
    }

    async fn look(&self) -> Option<Arc<Known>> {
        let looked = self.shared.endpoints.look(self.shared.store.command_reader()).await;
        looked.inspect_err(|error| tracing::warn!(%error, "who is told of events cannot be read")).ok()
    }

    async fn tidy(&mut self, known: Option<&Known>) {
        if self.tidied.is_some_and(|tidied| tidied.elapsed() < TIDY) {
            return;
        }
        self.tidied = Some(Instant::now());
        let measured = async {
            self.measure(known).await?;
            self.remove(known).await
        };
        if let Err(error) = measured.await {
            tracing::warn!(%error, "what is kept of webhooks is not looked at");
        }
    }

    /// Tells how much waits, and disables whom too much waits for.
    async fn measure(&self, known: Option<&Known>) -> Result<(), Error> {
        let Some(known) = known else { return Ok(()) };
        let failing = known.all().filter(|endpoint| endpoint.failing_since.is_some()).count();
        metrics::endpoints("told", known.all().count() - failing);
        metrics::endpoints("failing", failing);
        metrics::endpoints("disabled", known.disabled);
        let (mut waiting, mut oldest, now) = (0, None, micros(self.shared.store.now()));
        for backlog in queue::backlogs(&self.shared.store).await? {
            let count = u64::try_from(backlog.waiting).unwrap_or_default();
            let Some(endpoint) = self.shared.endpoints.get(&backlog.endpoint_id) else { continue };
            waiting += count;
            oldest = oldest.into_iter().chain(backlog.oldest).min();
            if count > MOST_KEPT {
                let id = endpoint.id.as_str();
                let disable = async |tx: &mut Tx| keep::disable(tx, id, "BACKLOG_FULL").await;
                self.shared.store.transact(disable).await?;
            }
        }
        let age = oldest.map_or(0, |oldest: i64| now.saturating_sub(oldest) / 1_000_000);
        metrics::waiting(waiting, u64::try_from(age).unwrap_or_default());
        Ok(())
    }

    /// Removes what is old, nobody's, or more than is kept.
    async fn remove(&self, known: Option<&Known>) -> Result<(), Error> {
        let store = &self.shared.store;
        let retention = time::Duration::try_from(self.shared.rules.retention).map_err(Error::internal)?;
        while remove::old(store, store.now() - retention).await? {}
        while remove::orphans(store).await? {}
        for endpoint in known.iter().flat_map(|known| known.all()) {
            while remove::beyond(store, &endpoint.id, MOST_KEPT).await? {}
        }
        Ok(())
    }
}

/// A lane ends where it is not to go on; one that has panicked is begun again.
fn tell_lost(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "telling an endpoint was broken off");
    }
}
