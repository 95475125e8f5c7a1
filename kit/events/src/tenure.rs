//! Doing something only while holding the lease on it, so that one of several replicas does it.
//!
//! Leases here save work; they never decide what is true. A database file has one process, which needs none.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::DbBackend;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;

use crate::Store;

const TTL: Duration = Duration::from_secs(10);
const RENEW: Duration = Duration::from_secs(3);
const ASK: Duration = Duration::from_secs(1);

/// A lease by its name, and who wants it.
pub(crate) struct Tenure {
    store: Store,
    name: String,
    holder: Arc<str>,
}

impl Tenure {
    pub(crate) fn new(store: Store, name: String, holder: Arc<str>) -> Self {
        Self { store, name, holder }
    }

    /// Runs `work` whenever the lease can be had, until `stop`. The token given to `work` is cancelled by `stop` and when the
    /// lease is lost; an error of `work` ends it all.
    pub(crate) async fn hold<F, R>(&self, stop: CancellationToken, work: F) -> Result<(), Error>
    where
        F: Fn(CancellationToken) -> R,
        R: Future<Output = Result<(), Error>>,
    {
        if self.store.backend() == DbBackend::Sqlite {
            return work(stop).await;
        }
        while !stop.is_cancelled() {
            match self.store.acquire_lease(&self.name, &self.holder, TTL).await {
                Ok(Some(epoch)) => {
                    let lost = stop.child_token();
                    let result = tokio::select! {
                        biased;
                        result = work(lost.clone()) => result,
                        never = self.renew(&lost) => match never {},
                    };
                    if let Err(error) = self.store.release_lease(&self.name, &self.holder, epoch).await {
                        tracing::debug!(lease = self.name, %error, "a lease was not given back; it lapses");
                    }
                    result?;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(lease = self.name, %error, "a lease cannot be asked for"),
            }
            stop.run_until_cancelled(tokio::time::sleep(ASK)).await;
        }
        Ok(())
    }

    /// Renews the lease; when that fails for too long, or somebody else has it, `lost` is cancelled.
    async fn renew(&self, lost: &CancellationToken) -> std::convert::Infallible {
        let mut good_until = Instant::now() + TTL;
        loop {
            tokio::time::sleep(RENEW).await;
            let asked = Instant::now();
            match self.store.acquire_lease(&self.name, &self.holder, TTL).await {
                Ok(Some(_)) => good_until = asked + TTL,
                Ok(None) => good_until = asked,
                Err(error) => tracing::warn!(lease = self.name, %error, "a lease was not renewed"),
            }
            if Instant::now() + RENEW >= good_until {
                tracing::warn!(lease = self.name, "a lease is lost");
                lost.cancel();
            }
        }
    }
}
