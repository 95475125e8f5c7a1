//! A store whose clock stands still until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sea_orm::ConnectionTrait;
use time::OffsetDateTime;
use tradewind_store::{Clock, Store, StoreOptions};

use crate::Database;

/// Such a store, a thousand seconds after the epoch.
pub struct Stopped {
    /// The store.
    pub store: Store,
    seconds: Arc<AtomicI64>,
}

impl Stopped {
    /// Opens it on a database.
    pub async fn open(database: &Database) -> Self {
        let seconds = Arc::new(AtomicI64::new(1_000));
        let told = Arc::clone(&seconds);
        let clock = Clock::from_fn(move || at(told.load(Ordering::SeqCst)));
        let (url, migrations) = (database.url(), Vec::new());
        let store = Store::open(StoreOptions { url, context: "bank", migrations, clock, partitions: None }).await;
        Self { store: store.expect("a store"), seconds }
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Lets this store write nothing to its database file any more.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn stop_writing(&self) {
        let tx = self.store.begin().await.expect("a transaction");
        tx.conn().execute_unprepared("PRAGMA query_only = on").await.expect("a connection that only reads");
    }
}

/// So many seconds after the epoch.
#[must_use]
pub fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds)
}
