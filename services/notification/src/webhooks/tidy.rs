//! Keeps what is kept of webhooks within its bounds, and tells how much it is: beside the lanes, in steps that are small however much
//! there is, and by one process at a time.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_replicas::Roster;
use tradewind_sql::micros;
use tradewind_store::Tx;

use super::endpoints::Endpoint;
use super::lane::Shared;
use super::queue::{self, MOST_KEPT};
use super::{keep, metrics, remove};

/// How often it is looked how much waits.
const MEASURE: Duration = Duration::from_secs(15);
/// How often what is kept of each endpoint is looked through.
const SWEEP: Duration = Duration::from_secs(60);
/// Whose turn it is.
const TIDYING: &str = "webhooks";

/// Keeps what is kept of webhooks within its bounds.
pub(crate) struct Tidy {
    shared: Arc<Shared>,
    swept: Option<Instant>,
}

impl Tidy {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, swept: None }
    }

    /// Works until `stop`, whenever it is this process's turn.
    pub(crate) async fn run(mut self, mut roster: watch::Receiver<Roster>, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            if roster.borrow_and_update().is_my_turn(TIDYING) {
                stop.run_until_cancelled(self.tidy()).await;
            } else {
                // What it told when it had its turn is somebody else's to tell.
                metrics::none();
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Ok(()) = roster.changed() => {}
                () = tokio::time::sleep(MEASURE) => {}
            }
        }
    }

    async fn tidy(&mut self) {
        self.measure().await;
        if self.swept.is_none_or(|swept| swept.elapsed() >= SWEEP) {
            self.swept = Some(Instant::now());
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "what is kept of webhooks is not looked through");
            }
        }
    }

    /// Tells how much waits, and disables whom too much waits for.
    async fn measure(&self) {
        let known = self.shared.endpoints.known();
        let failing = known.all().filter(|endpoint| endpoint.row.failing_since.is_some()).count();
        metrics::endpoints("told", known.all().count() - failing);
        metrics::endpoints("failing", failing);
        metrics::endpoints("disabled", known.disabled);
        let (mut waiting, mut since) = (0, None);
        for endpoint in known.all() {
            match self.backlog(endpoint).await {
                Ok((count, oldest)) => {
                    waiting += count;
                    since = since.into_iter().chain(oldest).min();
                }
                Err(error) => {
                    tracing::warn!(endpoint_id = endpoint.id(), %error, "how much waits for an endpoint is not known");
                }
            }
        }
        let age = since.map_or(0, |since: i64| micros(self.shared.store.now()).saturating_sub(since) / 1_000_000);
        metrics::waiting(waiting, u64::try_from(age).unwrap_or_default());
    }

    /// How much waits for an endpoint, and since when; it is disabled where that is too much.
    async fn backlog(&self, endpoint: &Endpoint) -> Result<(u64, Option<i64>), Error> {
        let (store, id) = (&self.shared.store, endpoint.id());
        let waiting = queue::waiting(store.reader(), id, MOST_KEPT + 1).await?;
        if waiting > MOST_KEPT {
            store.transact(async |tx: &mut Tx| keep::disable(tx, id, "BACKLOG_FULL").await).await?;
        }
        Ok((waiting, queue::oldest(store.reader(), id).await?))
    }

    /// Goes through every endpoint of which anything is kept.
    async fn sweep(&self) -> Result<(), Error> {
        let retention = time::Duration::try_from(self.shared.rules.retention).ok();
        let past = retention.and_then(|retention| self.shared.store.now().checked_sub(retention));
        let mut after = String::new();
        while let Some(id) = remove::next(&self.shared.store, &after).await? {
            if let Err(error) = self.keep_within(&id, past).await {
                tracing::warn!(endpoint_id = id, %error, "what is kept of an endpoint is not within its bounds yet");
            }
            after = id;
        }
        Ok(())
    }

    /// Removes what is nobody's, old, or more than is kept, and gives up what has waited since before `past`.
    async fn keep_within(&self, id: &str, past: Option<OffsetDateTime>) -> Result<(), Error> {
        let store = &self.shared.store;
        if !keep::is_there(store.reader(), id).await? {
            // Nothing is put down but for an endpoint that is there: this one was forgotten.
            while remove::all(store, id).await? {}
            return Ok(());
        }
        if let Some(past) = past {
            self.expire(id, past).await?;
            while remove::old(store, id, past).await? {}
        }
        while remove::beyond(store, id, MOST_KEPT).await? {}
        Ok(())
    }

    async fn expire(&self, id: &str, past: OffsetDateTime) -> Result<(), Error> {
        let mut all = 0;
        loop {
            let expired = remove::expire(&self.shared.store, id, past).await?;
            metrics::expired(expired);
            all += expired;
            if expired == 0 {
                break;
            }
        }
        if all > 0 {
            tracing::error!(endpoint_id = id, events = all, "what an endpoint has waited for too long is given up");
        }
        Ok(())
    }
}
