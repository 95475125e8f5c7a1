//! For tests: a store whose clock stands still until it is moved.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::OffsetDateTime;
use tradewind_testing::Database;

use super::{Store, StoreOptions};
use crate::Clock;

/// Such a store, a thousand seconds after the epoch.
pub(crate) struct Stopped {
    pub(crate) store: Store,
    seconds: Arc<AtomicI64>,
}

impl Stopped {
    pub(crate) async fn open(database: &Database) -> Self {
        let seconds = Arc::new(AtomicI64::new(1_000));
        let told = Arc::clone(&seconds);
        let clock = Clock::from_fn(move || at(told.load(Ordering::SeqCst)));
        let (url, migrations) = (database.url(), Vec::new());
        let store = Store::open(StoreOptions { url, context: "bank", migrations, clock, partitions: None }).await;
        Self { store: store.unwrap(), seconds }
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }
}

pub(crate) fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds)
}
