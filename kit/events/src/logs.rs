//! Any context's log by its name: the own one from the store, another's from its owner.

use std::sync::Arc;
use std::time::Duration;

use tradewind_domain::Error;
use tradewind_store::{LogPage, Store};

use crate::LogSource;

const TIMEOUT: Duration = Duration::from_secs(2);

/// The logs a service may read. Cheap to clone.
#[derive(Clone)]
pub struct Logs {
    store: Store,
    others: Arc<dyn LogSource>,
}

impl Logs {
    /// The own log out of the store, any other from `others`.
    #[must_use]
    pub fn new(store: Store, others: Arc<dyn LogSource>) -> Self {
        Self { store, others }
    }

    /// Up to `limit` events that follow the position `after`.
    ///
    /// # Errors
    /// `Unavailable` when the owner, or the database, does not answer in time.
    pub async fn read(&self, context: &str, partition: u16, after: u64, limit: u32) -> Result<LogPage, Error> {
        if context == self.store.context() {
            let limit = usize::try_from(limit).map_err(Error::internal)?;
            return self.store.read_log(partition, after, limit).await;
        }
        tokio::time::timeout(TIMEOUT, self.others.read_log(context, partition, after, limit))
            .await
            .unwrap_or_else(|_| Err(Error::unavailable("OWNER_SILENT", "the owner of the log does not answer")))
    }
}
