//! Consumers that an operator has paused: their readers finish the batch under way and rest, on every replica, until they are
//! resumed. Their cursors stay where they are, so nothing is missed. What is published and called outside goes on.

mod row;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{EntityTrait, IntoActiveModel, QueryOrder};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_events::{Paused, Reactions};
use tradewind_sql::{db, from_micros, micros};
use tradewind_store::{Store, Topic, Tx};

use self::row::{Column, Entity, Model};
use crate::metrics::metrics;

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

/// A consumer was paused or resumed.
static PAUSES: Topic = Topic::all("pause");

/// Makes every reader of `consumer` rest until [`resume_consumer`]; in this process at once, in others within about a second.
/// Where it is paused already, the first pause stays and is returned.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn pause_consumer(store: &Store, consumer: &str, by: &str, reason: &str) -> Result<Pause, Error> {
    let mut tx = store.begin().await?;
    let pause = pause(&mut tx, consumer, by, reason).await?;
    tx.commit().await?;
    Ok(pause)
}

/// Lets the readers of `consumer` go on where they were; `false` when it is not paused.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn resume_consumer(store: &Store, consumer: &str) -> Result<bool, Error> {
    let mut tx = store.begin().await?;
    let resumed = resume(&mut tx, consumer).await?;
    tx.commit().await?;
    Ok(resumed)
}

/// Pauses a consumer with everything else in this transaction; returns the first pause where there is one already.
pub(super) async fn pause(tx: &mut Tx, consumer: &str, by: &str, reason: &str) -> Result<Pause, Error> {
    let (consumer, principal, reason) = (consumer.to_owned(), by.to_owned(), reason.to_owned());
    let row = Model { consumer, since: micros(tx.now()), principal, reason };
    // A first pause is written onto itself, so that it is returned.
    let mut first = OnConflict::column(Column::Consumer);
    first.value(Column::Since, Expr::col((Entity, Column::Since)));
    let insert = Entity::insert(row.into_active_model()).on_conflict(first);
    let pause = insert.exec_with_returning(tx.conn()).await.map_err(db)?;
    tx.wakes(&PAUSES);
    Ok(pause.into())
}

/// Resumes a consumer with everything else in this transaction; `false` when it is not paused.
pub(super) async fn resume(tx: &mut Tx, consumer: &str) -> Result<bool, Error> {
    let resumed = Entity::delete_by_id(consumer).exec(tx.conn()).await.map_err(db)?;
    tx.wakes(&PAUSES);
    Ok(resumed.rows_affected == 1)
}

/// Every pause, by consumer.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn paused_consumers(store: &Store) -> Result<Vec<Pause>, Error> {
    let pauses = store.find::<Model>(Entity::find().order_by_asc(Column::Consumer)).await?;
    Ok(pauses.into_iter().map(Pause::from).collect())
}

impl From<Model> for Pause {
    fn from(Model { consumer, since, principal, reason }: Model) -> Self {
        Self { consumer, since: from_micros(since), by: principal, reason }
    }
}

/// Looks for pauses until `stop`. Where the database cannot be asked, what was seen last stays.
///
/// # Errors
/// None at present.
pub async fn follow_pauses(
    store: Store,
    reactions: Arc<[Arc<Reactions>]>,
    seen: watch::Sender<Paused>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let poll = if store.is_shared() { POLL } else { SLOW_POLL };
    let mut changed = store.subscribe(&PAUSES);
    while !stop.is_cancelled() {
        changed.mark_unchanged();
        match paused_consumers(&store).await {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
    use tradewind_testing::{Database, Stopped};

    use super::*;

    tradewind_testing::both_stores! {
        async fn a_pause_is_the_first_ones_until_it_is_resumed(database: Database) {
            let bank = Stopped::open(&database).await;
            let first = pause_consumer(&bank.store, "audit", "ann", "a bad release").await.unwrap();
            bank.pass(60);
            assert_eq!(pause_consumer(&bank.store, "audit", "ben", "me too").await.unwrap(), first);
            assert_eq!((first.by.as_str(), first.reason.as_str()), ("ann", "a bad release"));
            assert_eq!(paused_consumers(&bank.store).await.unwrap(), [first]);
            assert!(resume_consumer(&bank.store, "audit").await.unwrap());
            assert!(!resume_consumer(&bank.store, "audit").await.unwrap());
            assert_eq!(paused_consumers(&bank.store).await.unwrap(), []);
        }
    }
}
