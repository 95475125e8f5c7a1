//! Consumers that an operator has paused: their readers finish the batch under way and rest, on every replica, until they are
//! resumed. Their cursors stay where they are, so nothing is missed. What is published and called outside goes on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use sea_orm::{DbBackend, QueryResult};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;

use crate::error::db;
use crate::metrics::metrics;
use crate::sql::statement;
use crate::times::from_micros;
use crate::{Reactions, Store};

/// How often other replicas' pauses are looked for.
const POLL: Duration = Duration::from_secs(1);
/// On a database file only an operator's tool could be another process.
const SLOW_POLL: Duration = Duration::from_secs(5);

/// Who paused a consumer, when and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// The consumer.
    pub consumer: String,
    /// Since when it is paused.
    pub since: OffsetDateTime,
    /// Whoever asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Store {
    /// Makes every reader of `consumer` rest until [`resume_consumer`](Self::resume_consumer); in this process at once, in
    /// others within about a second. Where it is paused already, the first pause stays and is returned.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn pause_consumer(&self, consumer: &str, by: &str, reason: &str) -> Result<Pause, Error> {
        let mut tx = self.begin().await?;
        let pause = tx.pause_consumer(consumer, by, reason).await?;
        tx.commit().await?;
        Ok(pause)
    }

    /// Lets the readers of `consumer` go on where they were; `false` when it is not paused.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn resume_consumer(&self, consumer: &str) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        let resumed = tx.resume_consumer(consumer).await?;
        tx.commit().await?;
        Ok(resumed)
    }

    /// Every pause, by consumer.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn paused_consumers(&self) -> Result<Vec<Pause>, Error> {
        let query =
            statement(self.backend(), "SELECT consumer, since, principal, reason FROM pause ORDER BY consumer", []);
        let rows = self.read(query).await?;
        rows.iter().map(Pause::read).collect()
    }
}

impl Pause {
    /// Reads a row of consumer, since, principal and reason.
    pub(crate) fn read(row: &QueryResult) -> Result<Self, Error> {
        Ok(Self {
            consumer: row.try_get("", "consumer").map_err(db)?,
            since: from_micros(row.try_get("", "since").map_err(db)?),
            by: row.try_get("", "principal").map_err(db)?,
            reason: row.try_get("", "reason").map_err(db)?,
        })
    }
}

/// The paused consumers as this process last saw them; `None` before it has looked.
pub(crate) type Paused = Option<BTreeSet<String>>;

/// Looks for pauses until `stop`. Where the database cannot be asked, what was seen last stays.
pub(crate) async fn follow(
    store: Store,
    reactions: Arc<[Arc<Reactions>]>,
    seen: watch::Sender<Paused>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let poll = if store.backend() == DbBackend::Sqlite { SLOW_POLL } else { POLL };
    let mut changed = store.signals().pauses.subscribe();
    while !stop.is_cancelled() {
        changed.mark_unchanged();
        match store.paused_consumers().await {
            Ok(pauses) => tell(&seen, &reactions, pauses.into_iter().map(|pause| pause.consumer).collect()),
            Err(error) => tracing::warn!(%error, "pauses cannot be looked for"),
        }
        // Whether anything changed or not, it is time to look.
        let _ = stop.run_until_cancelled(tokio::time::timeout(poll, changed.changed())).await;
    }
    Ok(())
}

fn tell(seen: &watch::Sender<Paused>, reactions: &[Arc<Reactions>], now: BTreeSet<String>) {
    let before = seen.borrow().clone().unwrap_or_default();
    for consumer in reactions.iter().map(|reactions| reactions.consumer()) {
        let paused = now.contains(consumer);
        metrics().reader_paused.record(paused.into(), &[KeyValue::new("consumer", consumer)]);
        match (before.contains(consumer), paused) {
            (false, true) => tracing::info!(consumer, "a consumer is paused"),
            (true, false) => tracing::info!(consumer, "a consumer is resumed"),
            _ => {}
        }
    }
    seen.send_if_modified(|seen| seen.replace(now.clone()).as_ref() != Some(&now));
}
